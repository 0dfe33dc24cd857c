import reg.part

folder = os.path.dirname(reg.__file__)
show(where("reg"), os.path.isfile(folder + "/part.txt"), os.path.dirname(reg.part.__file__) == folder)
show(pkgutil.get_data("reg", "part.txt").decode())
