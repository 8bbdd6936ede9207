"""Makes scripts/schemas/kubernetes.json again: the kinds that deploy/kubernetes uses, from the schemas in the PyPI package
kubernetes-validate (pip download kubernetes-validate --no-deps), strict ones that refuse unknown fields.

Usage: python3 scripts/kubernetes-schema.py WHEEL [v1.33.0]
"""

import json
import pathlib
import re
import sys
import zipfile

KINDS = {
    "ConfigMap": "configmap-v1",
    "Deployment": "deployment-apps-v1",
    "Job": "job-batch-v1",
    "Pod": "pod-v1",
    "Service": "service-v1",
}


def main() -> None:
    wheel = zipfile.ZipFile(sys.argv[1])
    version = sys.argv[2] if len(sys.argv) > 2 else "v1.33.0"
    folder = f"kubernetes_validate/kubernetes-json-schema/{version}-local-strict"
    definitions = json.loads(wheel.read(f"{folder}/_definitions.json"))["$defs"]
    found: dict[str, object] = {}

    def local(value: object) -> object:
        """References point into this file; descriptions are for people and left out."""
        if isinstance(value, list):
            return [local(each) for each in value]
        if not isinstance(value, dict):
            return value
        reference = value.get("$ref")
        if isinstance(reference, str):
            name = re.sub(r"^.*#/\$defs/", "", reference)
            if name not in found:
                found[name] = None
                found[name] = local(definitions[name])
            return {"$ref": f"#/$defs/{name}"}
        is_schema = "properties" in value or "type" in value or "$ref" in value
        return {
            key: local(each)
            for key, each in value.items()
            if not (key == "description" and is_schema and isinstance(each, str)) and not key.startswith("x-kubernetes")
        }

    kinds = {kind: local(json.loads(wheel.read(f"{folder}/{name}.json"))) for kind, name in KINDS.items()}
    target = pathlib.Path(__file__).parent / "schemas" / "kubernetes.json"
    text = json.dumps({"version": version, "kinds": kinds, "$defs": dict(sorted(found.items()))}, indent=1)
    target.write_text(text + "\n")
    print(f"{target}: {len(found)} definitions, {len(text)} bytes")


main()
