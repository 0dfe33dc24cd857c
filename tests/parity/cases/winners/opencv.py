# /// parity
# rows = [4]
# says = "OpenCV, which imports itself again while it loads, is loaded and works"
# requirements = ["opencv-python-headless"]
# cost = "long"
# expects = "(2, 3, 3)"
# ///
import cv2, numpy

print(cv2.__version__, cv2.__name__, cv2.__file__, cv2.cvtColor(numpy.zeros((2, 3), "uint8"), cv2.COLOR_GRAY2BGR).shape)
print(sys.path[1:], cv2.data.haarcascades)
