# /// parity
# rows = [19]
# says = "a .pth file that fails is reported, its remainder ignored, and the others run"
# expects = "ModuleNotFoundError"
# normalise = [{pattern = '(?m)^!     File "(?!<string>)[^\n]*\n(?:!       [^\n]*\n)*', with = "", reason = "the frames are those of whoever executes the line, here and there"}]
# [wheels."pth-1.0"]
# "a.pth" = "import sys; sys.said = getattr(sys, 'said', []) + ['a']"
# "b.pth" = """
# import sys; sys.said.append('b')
# import missing_thing
# import sys; sys.said.append('never')
# """
# "c.pth" = "import sys; sys.said.append('c')"
# ///
show(sys.said)
