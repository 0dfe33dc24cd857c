sys.path.append(after)
import pk.a, pk.b, pk.c, pk.d

show(where("pk"), pk.a.who, pk.b.who, pk.c.who, pk.d.who)
