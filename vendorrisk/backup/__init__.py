"""Backup and restore of one installation: database, files, and the names of the keys that seal them.

    backup    one folder: `manifest.json`, `database.dump`, `files.jsonl` and `files/`
    manifest  the facts of the original: rows of each table, the head of each audit chain, migrations, files, ids of
              keys. It is written last, so a folder without one is no backup
    drill     a restore elsewhere, to see that it works

The database is dumped from one snapshot, and the manifest counts in the same. Files are copied after it. A file is
stored before a row names it and its content never changes, so the copy has every file that the snapshot names.

A restore takes an empty database and an empty store. It checks everything before it enters the migrations in the
ledger. Until then API and worker take the database for one that is not migrated, and wait. The copy is an installation
of its own that holds its deliveries, so that a drill sends no real alert. Heartbeats and ticks are left out.

Sealing keys are named and not included, unless asked for: with them, anyone who has the backup can read it.

    model      the manifest
    programs   pg_dump and pg_restore of the right version
    facts      the facts of a database, for the manifest
    objects    the objects of a store, copied as they are sealed
    making     a backup is made
    restoring  a backup is restored and checked
"""
