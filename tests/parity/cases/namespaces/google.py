# /// parity
# rows = [14, 15]
# says = "google: protobuf and the distributions that share its namespace"
# requirements = ["protobuf", "googleapis-common-protos", "google-auth", "google-api-core"]
# cost = "index"
# flags = ["-W", "ignore"]
# expects = "<site>/google/auth/__init__.py"
# ///
import google.api_core, google.auth, google.protobuf.message, google.rpc.status_pb2, google.api.http_pb2

show(google.auth.__file__, google.protobuf.__file__, google.rpc.status_pb2.Status(code=5).SerializeToString().hex())
show(sorted(set(where("google")[1])), sorted({item.name for item in pkgutil.iter_modules(google.__path__)}))
show(sorted(set(where("google.api")[1])), where("google.api_core")[0])
