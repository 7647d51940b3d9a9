"""The OpenAPI 3.1 document of the API, built from the declarations of routes.

    document            the document as a whole, served by `pages`
    operations          one operation: its permission, its promises, its bodies and its responses
    parameters          parameters and headers, shared by reference
    problem_responses   the refusals that an operation can answer with, by status
    schemas schemas of bodies and responses. `schema_directions` closes requests and opens responses
    descriptions        texts of fields: strings under the fields of Structs
    meanings            texts of names with the same meaning everywhere, such as `vendor_id`
    examples            examples of requests, and of responses as the demo tenant gets them
    webhook_docs the section of webhooks sent to others
    docs_page           the document as a page for people, with `docs_page_examples`

Invariants: no operation lacks its permission, its refusals or an example. No client must know every value of an
enumeration in a response.
"""
