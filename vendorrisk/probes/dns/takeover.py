"""Hosted services whose unclaimed names anyone can claim, and their signs of an unclaimed name.

The list follows the services' own documentation and is short: a service is listed if it gives a released name to the
next customer. `only_when_missing` services can be claimed only while the target name does not exist. The others answer
for unclaimed names with a page of their own.
"""

import msgspec


class Service(msgspec.Struct, frozen=True):
    name: str
    suffixes: tuple[str, ...]
    only_when_missing: bool = False
    page: str = ""


SERVICES = (
    Service("AWS Elastic Beanstalk", ("elasticbeanstalk.com",), only_when_missing=True),
    Service("AWS S3", ("s3.amazonaws.com", "s3-website.amazonaws.com"), page="NoSuchBucket"),
    Service(
        "Microsoft Azure",
        (
            "cloudapp.net", "cloudapp.azure.com", "azurewebsites.net", "blob.core.windows.net", "azure-api.net",
            "azurehdinsight.net", "azureedge.net", "azurecontainer.io", "database.windows.net", "azurefd.net",
            "search.windows.net", "azurecr.io", "redis.cache.windows.net", "trafficmanager.net",
            "servicebus.windows.net",
        ),
        only_when_missing=True,
    ),
    Service("GitHub Pages", ("github.io",), page="There isn't a GitHub Pages site here."),
    Service("Heroku", ("herokuapp.com", "herokudns.com"), page="No such app"),
    Service("Bitbucket", ("bitbucket.io",), page="Repository not found"),
    Service("Ghost", ("ghost.io",), page="Site unavailable"),
    Service("Help Scout", ("helpscoutdocs.com",), page="No settings were found for this company"),
    Service("Pantheon", ("pantheonsite.io",), page="The gods are wise"),
    Service("Read the Docs", ("readthedocs.io",), page="unknown to Read the Docs"),
    Service("Surge", ("surge.sh",), page="project not found"),
    Service("Netlify", ("netlify.app", "netlify.com"), page="Not Found - Request ID"),
    Service("Wordpress.com", ("wordpress.com",), page="Do you want to register"),
    Service("Discourse", ("trydiscourse.com",), only_when_missing=True),
    Service("Agile CRM", ("agilecrm.com",), page="Sorry, this page is no longer available."),
    Service("Ngrok", ("ngrok.io", "ngrok.app"), page="ERR_NGROK_3200"),
)  # fmt: skip


def service_of(target: str) -> Service | None:
    """Return the service that an alias leads to."""
    target = target.lower().rstrip(".")
    return next((s for s in SERVICES if any(target.endswith(f".{suffix}") for suffix in s.suffixes)), None)


def service_with_a_page(target: str) -> Service | None:
    """Return the service that shows a page of its own for names that nobody has claimed."""
    service = service_of(target)
    return service if service is not None and service.page else None
