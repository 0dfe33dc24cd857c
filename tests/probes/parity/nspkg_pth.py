import nsp.a, nsp.b

show(where("nsp"), nsp.a.who, nsp.b.who)
