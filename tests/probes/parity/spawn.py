import multiprocessing, reg.sub
from reg.call import answer

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        show(pool.map(answer, [1]))
