# /// parity
# rows = [34]
# says = "what django-admin startproject and startapp write has the modes that it has from a plain environment"
# requirements = ["django"]
# cost = "index"
# keeps_store = true
# expects = "-rwxr-xr-x project/manage.py"
# ///
umask 022
django-admin startproject project
(cd project && python manage.py startapp application)
find project -type f -printf '%M %p\n' | grep -v pycache | sort -k 2
echo "# mine" >> project/project/settings.py
