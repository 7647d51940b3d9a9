"""The one command line, put together. Each command imports what it needs only when it runs: `up` stays small."""

import click

from vendorrisk.commands.audit import audit
from vendorrisk.commands.backup import backup, installation, restore
from vendorrisk.commands.doctor import doctor
from vendorrisk.commands.documents import openapi, schema
from vendorrisk.commands.importing import import_vendors
from vendorrisk.commands.keys import keys
from vendorrisk.commands.serving import api, demo, healthy, migrate, prepare, up, worker
from vendorrisk.commands.signals import signals
from vendorrisk.commands.tenants import tenants
from vendorrisk.release import VERSION


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=None, version=VERSION, prog_name="vendorrisk")
def main() -> None:
    """Third-party risk management: vendors, SOC 2 evidence, alerts."""


_COMMANDS = (
    *(up, api, worker, migrate, prepare, demo),
    *(doctor, healthy, audit, keys),
    *(backup, restore, installation),
    *(tenants, import_vendors, signals),
    *(openapi, schema),
)
for command in _COMMANDS:
    main.add_command(command)


if __name__ == "__main__":
    main()
