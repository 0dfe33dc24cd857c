"""Steps that ask for the metadata of distributions."""

import importlib.metadata

from finder_server.answers import Answers


class Metadata(Answers):
    """Distributions."""

    def version(self, name):
        return importlib.metadata.version(name)

    def metadata(self, name):
        return sorted(map(list, importlib.metadata.metadata(name).items()))

    def requires(self, name):
        return importlib.metadata.requires(name)

    def files(self, name):
        files = importlib.metadata.files(name)
        if files is None:
            return None
        return sorted([str(path), self.located(path), path.locate().exists()] for path in files)

    def located(self, path):
        # What an installer adds belongs to the environment, and lies in it.
        return None if path.name == "INSTALLER" else self.places.plain(path.locate())

    def read_text(self, name, path):
        found = importlib.metadata.distribution(name)
        return [found.read_text(path), self.places.plain(found.locate_file("x/y"))]

    def entry_points(self):
        found = importlib.metadata.entry_points()
        groups = found.items() if isinstance(found, dict) else [(None, found)]
        return sorted([point.group, point.name, point.value] for _, points in groups for point in points)

    def entry_point_load(self, group):
        found = importlib.metadata.entry_points()
        points = found.get(group, ()) if isinstance(found, dict) else found.select(group=group)
        answers = []
        for point in sorted(points, key=lambda point: (point.name, point.value)):
            try:
                loaded = point.load()
                answers.append([point.name, loaded if isinstance(loaded, str) else self.module(loaded)])
            except Exception as error:
                answers.append([point.name, self.error(error)])
        return answers

    def distributions(self):
        return self.counted(importlib.metadata.distributions())

    def distributions_in(self, wheres):
        return self.counted(importlib.metadata.distributions(path=[self.places.folders[where] for where in wheres]))

    def distributions_named(self, name):
        return self.counted(importlib.metadata.distributions(name=name))

    def named_in(self, name, wheres):
        path = [self.places.folders[where] for where in wheres]
        return self.counted(importlib.metadata.distributions(name=name, path=path))

    def counted(self, found):
        """For each name: how many there are, and the version of the first."""
        answer = {}
        for dist in found:
            row = answer.setdefault(dist.metadata["Name"], [0, dist.version, type(dist).__name__])
            row[0] += 1
        return answer

    def packages_distributions(self):
        if not hasattr(importlib.metadata, "packages_distributions"):
            return None
        return {name: sorted(owners) for name, owners in importlib.metadata.packages_distributions().items()}
