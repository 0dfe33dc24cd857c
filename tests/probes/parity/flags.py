import reg.sub

show(where("reg"), where("reg.sub"), metadata.version("reg"), sys.flags.isolated, sys.flags.optimize)
show([entry for entry in sys.path if "venv" in entry])
