# /// parity
# rows = [29]
# says = "pylint, locked and run in the environment, finds packages, their submodules, namespaces, modules and native ones"
# state = "mended"
# reason = "astroid looks for packages in the folders of sys.path; when it is loaded, the folders of locked ones are looked in as well"
# requirements = ["pylint", "mako", "jaraco.functools", "six", "msgpack"]
# cost = "index"
# python = ">=3.10"
# run = ["python -m pylint --score=n --disable=all --enable=E,I {run}/own.py"]
# expects = ["No name 'nothing' in module 'mako.template'", "Unable to import 'missing'", "c-extension-no-member"]
# fails = true
# [files]
# "own.py" = """
# import jaraco.functools
# import jaraco.nothing
# import mako.template
# import msgpack._cmsgpack
# import six
# import missing
# from mako.template import nothing
# from six.moves import urllib
# mako.template.Template().render
# mako.template.does_not_exist()
# jaraco.functools.does_not_exist()
# msgpack._cmsgpack.Packer()
# six.does_not_exist()
# """
# ///
