os.chdir(os.path.dirname(site_packages))
for path in ([site_packages + "/"], [alias], ["site-packages"], ["."], [site_packages, alias], []):
    show_metadata(path)
    show(sorted(found.version for found in metadata.distributions(name="reg", path=path)))
for spelled in (site_packages + "/", alias, "site-packages"):
    sys.path[:] = [spelled if is_site(entry) or entry == alias else entry for entry in sys.path]
    import reg.sub

    show(reg.who, metadata.version("reg"))
    forget("reg", "reg.sub")
