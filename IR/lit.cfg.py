"""lit's configuration: every IR/**/*.mir with RUN lines is a test of the built program."""

import os

import lit.formats

config.name = "Martlet"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mir"]
config.test_source_root = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(config.test_source_root)
config.test_exec_root = os.path.join(root, ".build", "lit")
martlet = os.environ.get("MARTLET", os.path.join(root, ".build", "release", "martlet"))
tools = os.environ.get("LLVM_TOOLS", "/usr/lib/llvm-22/bin")

if not os.path.exists(martlet):
    lit_config.fatal(f"{martlet} is not there: make build")
config.substitutions.append(("%martlet", martlet))
config.environment["PATH"] = tools + os.pathsep + os.environ["PATH"]
config.environment["MARTLET_CACHE"] = "off"
config.environment["MARTLET_WITHOUT"] = os.environ.get("MARTLET_WITHOUT", "")
config.environment["FILECHECK_OPTS"] = "--dump-input=fail --dump-input-context=6"
