import site

show(sys.count)
site.addsitedir(site_packages, set())
import reg

show(sys.count, reg.who, metadata.version("reg"))
show_metadata()
