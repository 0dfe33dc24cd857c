# /// parity
# rows = [40]
# says = "the loader of what is in the store is of a subclass: only who compares types by identity can tell"
# state = "limit"
# reason = "only a loader of another kind can leave out the look at the source; isinstance, __class__, names, equality and copies are the same"
# differs = ['-[true, true]', '+[false, true]']
# ///
import regular

show(type(regular.__loader__) is SourceFileLoader, regular.__loader__.__class__ is SourceFileLoader)
