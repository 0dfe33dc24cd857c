import extra_module

show(sys.said, where("extra_module"), sys.path[1:])
