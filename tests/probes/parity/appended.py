sys.path.append(after)
import other, reg

show(reg.who, other.who, metadata.version("reg"))
show_metadata()
