import cv2

show(cv2.who, where("cv2"), cv2.__spec__.origin, sys.path[1:])
