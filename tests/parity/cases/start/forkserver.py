# /// parity
# rows = [38]
# says = "processes that multiprocessing starts by forkserver find what is locked"
# expects = "child"
# ///
import multiprocessing, regular.sub
from regular.call import answer

if __name__ == "__main__":
    with multiprocessing.get_context("forkserver").Pool(1) as pool:
        show(pool.map(answer, [1]))
