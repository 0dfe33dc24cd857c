# /// parity
# rows = [38]
# says = "the interpreter's options: what is locked is found under each, and metadata with it"
# files."probe.py" = """
# import importlib.metadata, regular.sub, spread.a, sys
# print(regular.sub.__file__, spread.a.__file__, importlib.metadata.version('regular'), sys.flags.isolated, sys.flags.optimize)
# print([entry for entry in sys.path if 'site-packages' in entry])
# """
# expects = "<site>/regular/sub.py"
# ///
for flags in "-I" "-E" "-s" "-O" "-OO" "-b" "-B" "-v" "-X dev" "-X utf8" "-X importtime" "-W error" "-X tracemalloc" "-X faulthandler"; do
    echo "with $flags"
    python $flags probe.py 2>stderr
    grep -q "egular" stderr && echo "names it on stderr" || true
done
python -u - < probe.py
python -c "$(cat probe.py)"
