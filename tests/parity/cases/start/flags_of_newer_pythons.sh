# /// parity
# rows = [38]
# says = "-P and -X frozen_modules=off, which came with 3.11"
# python = ">=3.11"
# expects = "<site>/regular/sub.py"
# ///
for flags in "-P" "-X frozen_modules=off" "-X frozen_modules=on" "-P -I"; do
    python $flags -c "import regular.sub, sys; print(regular.sub.__file__, sys.flags.safe_path, sys.path)"
done
