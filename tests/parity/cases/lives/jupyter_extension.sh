# /// parity
# rows = [35]
# says = "jupyter server extension disable --sys-prefix changes the configuration of this environment only"
# requirements = ["jupyter_server", "jupyter_server_terminals"]
# cost = "index"
# timeout = 600
# keeps_store = true
# expects = "disabled"
# ///
list() { jupyter server extension list 2>&1 | grep -E "enabled|disabled" | sed 's/\x1b\[[0-9;]*m//g' | sort; }
list
jupyter server extension disable --sys-prefix jupyter_server_terminals >/dev/null 2>&1
list
find "$PARITY_VENV/etc/jupyter" -type f | sort | xargs cat
