# /// parity
# rows = [21]
# says = "packages_distributions()"
# python = ">=3.11"
# without."3.10" = "it reads top_level.txt only"
# installer = "pip"
# expects = '"spread": ["spread_a", "spread_b"]'
# ///
packages = metadata.packages_distributions()
packages.pop("__pycache__", None)  # bytecode is there once a module was imported
show({name: sorted(owners) for name, owners in sorted(packages.items())})
