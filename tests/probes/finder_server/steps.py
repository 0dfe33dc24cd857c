"""The steps of a scenario."""

import warnings

from finder_server.changes import Changes
from finder_server.listings import Listings
from finder_server.metadata import Metadata


class Steps(Changes, Listings, Metadata):
    """What a scenario does, each step a method; the answer is what it returns or raises."""

    def take(self, step):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                answer = getattr(self, step[0])(*step[1:])
            except Exception as error:
                answer = self.error(error)
        said = sorted({self.places.plain("{}: {}".format(w.category.__name__, w.message)) for w in caught})
        return {"answer": answer, "warnings": said} if said else {"answer": answer}
