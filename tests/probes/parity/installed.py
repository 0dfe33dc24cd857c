attempt(where, "reg")
attempt(where, "reg.sub")
attempt(metadata.version, "reg")
show_metadata()
