# /// parity
# rows = [2]
# says = "the user's site-packages come after what is locked"
# system_site = true
# folders.copied = ["regular ==2.0"]
# files."copied/other.py" = ""
# environ.PYTHONUSERBASE = "{run}/user"
# expects = "regular 1.0"
# catches = ["after"]
# ///
folder=$(python -m site --user-site)
mkdir -p "$folder"
cp -r copied/. "$folder"
python -c "
import other, regular
from importlib import metadata
print(regular.who, metadata.version('regular'), other.__file__)
import regular.new
" 2>&1 | tail -n 2
