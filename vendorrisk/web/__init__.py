"""Plain pages for a person with a browser, where the API would answer in JSON.

    page    one HTML document of ours, without script and without anything from another host

Every value in a page is escaped by its template. The policy of each page allows its one style by hash and nothing else.

    plain_pages  how a page is rendered, and its headers
    start        `GET /`: the first page, with links to the documents
    confirm      `/confirm/{token}`: the owner of an e-mail address allows alerts to it
"""
