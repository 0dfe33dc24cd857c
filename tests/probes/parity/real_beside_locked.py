import reg.deep.later, reg.late, reg.sub

show(where("reg"), where("reg.late"), where("reg.deep"))
show([item.name for item in pkgutil.walk_packages(reg.__path__)])
