# /// parity
# rows = [28]
# says = "without --site-metadata, tools that look from outside see an environment without distributions"
# state = "limit"
# reason = "they read the folder, in which nothing is; doctor says so at its end, for an empty audit is no clean one"
# requirements = ["single==1.0"]
# run = ["{uv} --no-config pip freeze --python {python}", "python {program}"]
# differs = ["-regular==2.0", "-single==1.0"]
# ///
show(where("single"), metadata.version("single"))
