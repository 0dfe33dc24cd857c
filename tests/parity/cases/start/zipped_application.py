# /// parity
# rows = [38]
# says = "a zipped application finds what is locked"
# files."application/__main__.py" = "import regular.sub, importlib.metadata; print(regular.sub.__file__, importlib.metadata.version('single'))"
# run = ["python -m zipapp application -o application.pyz", "python application.pyz", "python -I application.pyz", "python application"]
# expects = "<site>/regular/sub.py"
# ///
