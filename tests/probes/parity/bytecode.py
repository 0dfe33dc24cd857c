import reg.sub

show(reg.__cached__, reg.sub.__spec__.cached)
