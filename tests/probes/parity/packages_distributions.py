show({name: sorted(owners) for name, owners in metadata.packages_distributions().items()})
