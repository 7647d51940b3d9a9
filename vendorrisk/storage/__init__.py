"""The edge to where files are kept.

    port         Store: named objects, written whole or not at all; what every adapter promises
    disk, s3     the two adapters
    vault        EncryptedFileStore: a tenant's files, sealed, found by the SHA-256 of what they hold
    sealing      a stream of plain bytes becomes sealed chunks, and back, from any place
    media_types  what a file is, by what it holds; the few kinds that are accepted
    names        a file name as it may be shown and sent (RFC 6266, RFC 8187)
    ownership    whose a store on disk is, where root works on it from the shell
    configured   the Store and EncryptedFileStore that the settings ask for

A *file* is two objects. The *body*, `bodies/<tenant>/<body id>`, is the content under a data key made for it alone.
The *key*, `keys/<tenant>/<sha-256>`, holds that data key and the body's id, sealed by the keyring for this tenant and
digest. A file is there when its key is: the body is written first, the key last; deletion takes the key first, after
which the body says nothing to anyone. Rotation writes keys again and never touches a body.

The digest is the plain content's, so a tenant that sends a file twice keeps it once. Tenants share nothing: whether
another tenant holds the same file changes neither a response nor an object of one's own. Whoever may list the store
can ask whether a tenant holds a file they already have; they can read none.

What can never happen: a file half-written is seen; a byte that was changed, cut, moved or put in from another file is
read as if it were true; content leaves the service in clear to be stored.

What may be left behind is a body without a key, when a process dies between the two or two uploads of one file cross.
`EncryptedFileStore.sweep` removes such bodies once they are old enough that no upload can still be under way.
"""
