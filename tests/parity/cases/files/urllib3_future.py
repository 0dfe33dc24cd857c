# /// parity
# rows = [19, 20]
# says = "urllib3-future beside urllib3: its .pth file copies it into urllib3's folder in a plain environment; here urllib3 stays what is locked, and the store what it was"
# state = "limit"
# reason = "the file changes another distribution's files in site-packages; here these are shared with other environments, and are in no site folder that it looks at"
# requirements = ["urllib3-future", "urllib3"]
# cost = "index"
# keeps_store = true
# differs = ["-[true, true]", "+[false, true]"]
# ///
import urllib3, urllib3_future

show(urllib3.__version__ == urllib3_future.__version__, urllib3_future.__version__ == metadata.version("urllib3-future"))
show(where("urllib3"), where("urllib3_future"), metadata.version("urllib3"))
