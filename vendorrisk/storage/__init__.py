"""The edge to file storage.

    port         Store: named objects, written whole or not at all; the promises of every adapter
    disk, s3     the two adapters
    vault        EncryptedFileStore: a tenant's files, sealed, found by a keyed digest of their content
    sealing      a stream of plain bytes becomes sealed chunks, and back, from any place
    media_types  a file's type, by its content; the few accepted types
    names        a file name in a form that is safe to show and send (RFC 6266, RFC 8187)
    ownership    the owner of a store on disk, if root works on it from the shell
    configured   the Store and EncryptedFileStore that the settings ask for

A *file* is two objects. The *body*, `bodies/<tenant>/<body id>`, is the content under a data key made for it alone. The
*key*, `keys/<tenant>/<name>`, holds that data key, the body's id and the SHA-256 of the content, sealed by the keyring
for this tenant and name. The name is an HMAC of tenant and SHA-256, under a secret that is derived from the first
secret key. A file is looked for under the name of each secret key, and rotation renames keys. A file exists if its key
exists: the body is written first, the key last. Deletion removes the key first, after which the body cannot be read.
Rotation rewrites keys and never touches a body.

The digest is the plain content's, so a tenant that sends a file twice stores it once. Tenants share no objects: another
tenant's same file changes neither a response nor an object of one's own. A reader of the store's listing learns the
number and the sizes of a tenant's files. Without the secret keys nobody can test a guess of a content.

Can never happen: a half-written file is seen. A byte that was changed, cut, moved or inserted from another file is read
as valid. Content leaves the service in clear to be stored.

A body without a key may remain if a process dies between the two writes, or if two uploads of one file cross.
`EncryptedFileStore.sweep` removes such bodies once every upload of that time must have ended.
"""
