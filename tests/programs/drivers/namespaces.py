"""Large namespace families: many distributions in one package that none of them owns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.programs.program import Program

if TYPE_CHECKING:
    from tests.programs.side import Side

USES = """\
import importlib, pkgutil, sys
from importlib import metadata, resources

for name in sys.argv[1:]:
    module = importlib.import_module(name)
    print(name, module.__spec__.origin, type(module.__loader__).__name__)
for family in ("google", "google.cloud", "google.api", "azure", "azure.mgmt", "zope"):
    module = importlib.import_module(family)
    print(family, type(module.__path__).__name__, getattr(module, "__file__", None))
    print(sorted(info.name for info in pkgutil.iter_modules(module.__path__, family + ".")))
print(sorted((name, sorted(set(dists))) for name, dists in metadata.packages_distributions().items()))
print(sum(1 for dist in metadata.distributions() for file in dist.files
          if file.suffix != ".pyc" and file.name != "REQUESTED" and file.locate().exists()))
"""
CLOUD = """\
from google.cloud import pubsub_v1, storage
from google.auth.credentials import AnonymousCredentials
from google.rpc import status_pb2
from azure.core.credentials import AzureKeyCredential
from azure.storage.blob import BlobServiceClient
from zope.interface import Interface, implementer
from zope.component import getGlobalSiteManager
from zope.schema import TextLine

client = storage.Client(project="p", credentials=AnonymousCredentials())
print(client.bucket("b").blob("x").path, storage.__version__)
print(pubsub_v1.PublisherClient.topic_path("p", "t"), status_pb2.Status(code=3))
blobs = BlobServiceClient("https://account.blob.example.org", credential=None)
print(blobs.get_blob_client("c", "b").url, type(AzureKeyCredential("k")).__module__)


class IThing(Interface):
    name = TextLine(title="n")


@implementer(IThing)
class Thing:
    name = "x"


getGlobalSiteManager().registerUtility(Thing(), IThing)
print(IThing.providedBy(Thing()), getGlobalSiteManager().getUtility(IThing).name)
"""


def drive(side: Side) -> None:
    side.write({"uses.py": USES, "cloud.py": CLOUD})
    names = (
        "google.cloud.storage google.cloud.bigquery google.cloud.pubsub_v1 google.protobuf google.api_core google.type"
    )
    more = "azure.core azure.storage.blob azure.identity azure.mgmt.resource azure.keyvault.secrets"
    zope = "zope.interface zope.component zope.schema zope.event zope.configuration zope.i18nmessageid"
    side.run("python", "uses.py", *names.split(), *more.split(), *zope.split())
    side.run("python", "cloud.py")
    side.run("python", "-m", "compileall", "-q", "cloud.py")


PROGRAM = Program(
    does="the `google-cloud-*`, `azure-*` and `zope.*` families together: their modules, clients of each, what"
    " `pkgutil` and `importlib.metadata` list",
    requirements=(
        "google-cloud-storage",
        "google-cloud-bigquery",
        "google-cloud-pubsub",
        "azure-storage-blob",
        "azure-identity",
        "azure-mgmt-resource",
        "azure-keyvault-secrets",
        "zope.component",
        "zope.schema",
        "zope.configuration",
    ),
    drive=drive,
    pythons=("3.12",),
)
