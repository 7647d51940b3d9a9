"""The edge to file storage.

    port         Store: named objects, written whole or not at all; the promises of every adapter
    disk, s3     the two adapters
    vault        EncryptedFileStore: a tenant's files, sealed, found by the SHA-256 of their content
    sealing      a stream of plain bytes becomes sealed chunks, and back, from any place
    media_types  a file's type, by its content; the few accepted types
    names        a file name in a form that is safe to show and send (RFC 6266, RFC 8187)
    ownership    the owner of a store on disk, if root works on it from the shell
    configured   the Store and EncryptedFileStore that the settings ask for

A *file* is two objects. The *body*, `bodies/<tenant>/<body id>`, is the content under a data key made for it alone. The
*key*, `keys/<tenant>/<sha-256>`, holds that data key and the body's id, sealed by the keyring for this tenant and
digest. A file exists if its key exists: the body is written first, the key last. Deletion removes the key first, after
which the body cannot be read. Rotation rewrites keys and never touches a body.

The digest is the plain content's, so a tenant that sends a file twice stores it once. Tenants share no objects: another
tenant's same file changes neither a response nor an object of one's own. A reader of the store's listing can test
whether a tenant holds a known file, but can read no content.

Can never happen: a half-written file is seen. A byte that was changed, cut, moved or inserted from another file is read
as valid. Content leaves the service in clear to be stored.

A body without a key may remain if a process dies between the two writes, or if two uploads of one file cross.
`EncryptedFileStore.sweep` removes such bodies once every upload of that time must have ended.
"""
