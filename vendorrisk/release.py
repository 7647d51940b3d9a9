"""The version of this release, as the project, the image and the metrics say it."""

VERSION = "0.1.0"
