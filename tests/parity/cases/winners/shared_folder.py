# /// parity
# rows = [7]
# says = "two distributions with files in one regular package lie in one folder"
# wheels."joint-1.0" = {"joint/__init__.py" = "who = 'joint'"}
# wheels."joint_part-1.0" = {"joint/part.py" = "who = 'part'", "joint/part.txt" = "text"}
# expects = "true, true"
# ///
import joint.part

folder = os.path.dirname(joint.__file__)
show(where("joint"), os.path.isfile(folder + "/part.txt"), os.path.dirname(joint.part.__file__) == folder)
show(pkgutil.get_data("joint", "part.txt").decode(), joint.__path__[0] == folder)
