# /// parity
# rows = [17]
# says = "cuda.pathfinder, which lists the folders of sys.path and site.getsitepackages() for nvidia/, does not find locked headers"
# state = "limit"
# reason = "it lists folders and asks no finder, and what is locked is in none of these folders"
# differs = [
#   '-["fine", "<site>/nvidia/cuda_nvrtc/include"]', '-["fine", "<site>/nvidia/nvjitlink/include"]',
#   '+["fine", null]', '+["fine", null]',
# ]
# requirements = ["cuda-pathfinder", "nvidia_cuda_nvrtc_cu12==12.0", "nvidia_nvjitlink_cu12==12.0"]
# python = ">=3.10"
# cost = "index"
# [wheels]
# "nvidia_cuda_nvrtc_cu12-12.0" = {"nvidia/cuda_nvrtc/lib/libnvrtc.so.12" = "", "nvidia/cuda_nvrtc/include/nvrtc.h" = ""}
# "nvidia_nvjitlink_cu12-12.0" = {"nvidia/nvjitlink/lib/libnvJitLink.so.12" = "", "nvidia/nvjitlink/include/nvJitLink.h" = ""}
# ///
from cuda.pathfinder import find_nvidia_header_directory

for name in ("nvrtc", "nvjitlink"):
    attempt(find_nvidia_header_directory, name)
