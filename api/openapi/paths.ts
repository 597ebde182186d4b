/**
 * What the API takes and answers, below /api/v1, for openapi-fetch: `createClient<paths>({ baseUrl: '…/api/v1' })`.
 * As long as its document, of which `npm run docs` writes it; a test holds it against that.
 */

export type Problem<Code> = {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: Code;
  errors: ({
    pointer: string;
    message: string;
  })[];
  request_id: string;
};

/** The JSON that GET answers under a path. */
export type Shown<Path extends keyof paths> = paths[Path] extends { get: { responses: { 200: Json<infer Body> } } } ? Body : never;

type Json<Body> = { content: { 'application/json': Body } };
type Done<Body, Header extends string = never> = { headers: { [Name in Header]?: string } & Record<string, unknown> } & Json<Body>;
type Nothing<Header extends string = never> = { headers: { [Name in Header]?: string } & Record<string, unknown>; content?: never };
type Refusals<Codes> = {
  [Status in keyof Codes]: { headers: Record<string, unknown>; content: { 'application/problem+json': Problem<Codes[Status]> } };
};

export type paths = {
  '/clients': {
    /** Register */
    post: {
      parameters: {
        header?: {
          /** The same key never does it twice: the first answer is sent again. */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: Json<{
        /** Given name. */
        name: string;
        /** Family name. */
        lastname: string;
        email: string;
        telephone?: string | null;
        /** Required of everyone but a load test, whose clients get a token at once. */
        password?: string;
      }>;
      responses: {
        201: Done<{
          id_key: number;
          name: string;
          lastname: string;
          email: string;
          telephone: string | null;
          version: number;
          access_token?: string;
          token_type?: string;
          expires_in?: number;
        }, 'ETag' | 'Location' | 'Idempotency-Replayed'>;
      } & Refusals<{ 400: 'idempotency_key_invalid' | 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 408: 'request_timeout'; 409: 'duplicate' | 'idempotency_in_flight'; 410: 'gone'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'idempotency_key_reused' | 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
    /** List clients; a customer sees only itself */
    get: {
      parameters: {
        query?: {
          /** How many to leave out. */
          skip?: number;
          /** How many to return at most. */
          limit?: number;
          /** Goes on after the page whose Link header gave it. */
          cursor?: string;
        };
        header?: {
          /** Entity tags: what has one of them is not sent again. */
          'If-None-Match'?: string;
        };
      };
      responses: {
        200: Done<({
          id_key: number;
          name: string;
          lastname: string;
          email: string;
          telephone: string | null;
          version: number;
        })[], 'ETag'>;
        304: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 408: 'request_timeout'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; }>;
    };
  };
  '/clients/login': {
    /** Log in, which begins a session */
    post: {
      parameters: {};
      requestBody: Json<{
        email: string;
        password: string;
      }>;
      responses: {
        200: Done<{
          id_key: number;
          name: string;
          access_token: string;
          token_type: string;
          expires_in: number;
          refresh_token: string;
        }>;
      } & Refusals<{ 400: 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 408: 'request_timeout'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/clients/refresh': {
    /** Go on with a session: change its refresh token for a new one, and get an access token */
    post: {
      parameters: {};
      requestBody: Json<{
        refresh_token: string;
      }>;
      responses: {
        200: Done<{
          id_key: number;
          name: string;
          access_token: string;
          token_type: string;
          expires_in: number;
          refresh_token: string;
        }>;
      } & Refusals<{ 400: 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 408: 'request_timeout'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/clients/{id}/sessions': {
    /** Log out everywhere: end all sessions of a client */
    delete: {
      parameters: {
        path: {
          id: number;
        };
      };
      responses: {
        204: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 412: 'version_mismatch'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/clients/{id}/password': {
    /** Change a password, which ends all other sessions */
    put: {
      parameters: {
        path: {
          id: number;
        };
      };
      requestBody: Json<{
        current_password: string;
        new_password: string;
      }>;
      responses: {
        204: Nothing;
      } & Refusals<{ 400: 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
    /** Change a password, which ends all other sessions */
    patch: paths['/clients/{id}/password']['put'];
  };
  '/clients/forgot-password': {
    /** Have a token for a new password mailed to an account’s address; answers the same where there is no account */
    post: {
      parameters: {};
      requestBody: Json<{
        email: string;
      }>;
      responses: {
        204: Nothing;
      } & Refusals<{ 400: 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 408: 'request_timeout'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 501: 'not_configured'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/clients/reset-password': {
    /** Choose a new password with a token that was mailed, once; it ends all sessions */
    post: {
      parameters: {};
      requestBody: Json<{
        reset_token: string;
        new_password: string;
      }>;
      responses: {
        200: Done<{
          id_key: number;
          name: string;
        }>;
      } & Refusals<{ 400: 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 408: 'request_timeout'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/clients/{id}': {
    /** Read a client */
    get: {
      parameters: {
        header?: {
          /** Entity tags: what has one of them is not sent again. */
          'If-None-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      responses: {
        200: Done<{
          id_key: number;
          name: string;
          lastname: string;
          email: string;
          telephone: string | null;
          version: number;
        }, 'ETag'>;
        304: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; }>;
    };
    /** Change a client; another e-mail address asks a customer for the current password, and ends its other sessions */
    put: {
      parameters: {
        header?: {
          /** Entity tags: it is done only while the thing has one of them. */
          'If-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      requestBody: Json<{
        /** Given name. */
        name?: string;
        /** Family name. */
        lastname?: string;
        email?: string;
        telephone?: string | null;
        /** Required of a customer whose e-mail address changes. */
        current_password?: string;
        /** As it was read: it is changed only while that is its version, as with If-Match. */
        version?: number;
      }>;
      responses: {
        200: Done<{
          id_key: number;
          name: string;
          lastname: string;
          email: string;
          telephone: string | null;
          version: number;
        }, 'ETag'>;
      } & Refusals<{ 400: 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 409: 'duplicate'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'validation_failed'; 428: 'precondition_required'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
    /** Change a client; another e-mail address asks a customer for the current password, and ends its other sessions */
    patch: paths['/clients/{id}']['put'];
    /** Delete a client and all that is personal of it */
    delete: {
      parameters: {
        header?: {
          /** Entity tags: it is done only while the thing has one of them. */
          'If-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      responses: {
        204: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 412: 'version_mismatch'; 417: 'expectation_failed'; 422: 'validation_failed'; 428: 'precondition_required'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/addresses': {
    /** List addresses; a customer sees only its own */
    get: {
      parameters: {
        query?: {
          /** Only addresses of this client. */
          client_id?: number;
          /** How many to leave out. */
          skip?: number;
          /** How many to return at most. */
          limit?: number;
          /** Goes on after the page whose Link header gave it. */
          cursor?: string;
        };
        header?: {
          /** Entity tags: what has one of them is not sent again. */
          'If-None-Match'?: string;
        };
      };
      responses: {
        200: Done<({
          id_key: number;
          street: string | null;
          number: string | null;
          city: string | null;
          client_id: number;
          version: number;
        })[], 'ETag'>;
        304: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; }>;
    };
    /** Add an address */
    post: {
      parameters: {
        header?: {
          /** The same key never does it twice: the first answer is sent again. */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: Json<{
        /** Street, without the number. */
        street?: string | null;
        /** Number of the house, such as 12 B. */
        number?: string | null;
        /** City. */
        city?: string | null;
        /** Whose address it is. */
        client_id: number;
      }>;
      responses: {
        201: Done<{
          id_key: number;
          street: string | null;
          number: string | null;
          city: string | null;
          client_id: number;
          version: number;
        }, 'ETag' | 'Location' | 'Idempotency-Replayed'>;
      } & Refusals<{ 400: 'idempotency_key_invalid' | 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 409: 'idempotency_in_flight'; 410: 'gone'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'idempotency_key_reused' | 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/addresses/{id}': {
    /** Read an address */
    get: {
      parameters: {
        header?: {
          /** Entity tags: what has one of them is not sent again. */
          'If-None-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      responses: {
        200: Done<{
          id_key: number;
          street: string | null;
          number: string | null;
          city: string | null;
          client_id: number;
          version: number;
        }, 'ETag'>;
        304: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; }>;
    };
    /** Change an address */
    put: {
      parameters: {
        header?: {
          /** Entity tags: it is done only while the thing has one of them. */
          'If-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      requestBody: Json<{
        /** Street, without the number. */
        street?: string | null;
        /** Number of the house, such as 12 B. */
        number?: string | null;
        /** City. */
        city?: string | null;
        /** Must be the one it has. */
        client_id?: number;
        /** As it was read: it is changed only while that is its version, as with If-Match. */
        version?: number;
      }>;
      responses: {
        200: Done<{
          id_key: number;
          street: string | null;
          number: string | null;
          city: string | null;
          client_id: number;
          version: number;
        }, 'ETag'>;
      } & Refusals<{ 400: 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'validation_failed'; 428: 'precondition_required'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
    /** Change an address */
    patch: paths['/addresses/{id}']['put'];
    /** Delete an address */
    delete: {
      parameters: {
        header?: {
          /** Entity tags: it is done only while the thing has one of them. */
          'If-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      responses: {
        204: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 412: 'version_mismatch'; 417: 'expectation_failed'; 422: 'validation_failed'; 428: 'precondition_required'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/categories': {
    /** List categories */
    get: {
      parameters: {
        query?: {
          /** How many to leave out. */
          skip?: number;
          /** How many to return at most. */
          limit?: number;
          /** Goes on after the page whose Link header gave it. */
          cursor?: string;
        };
        header?: {
          /** Entity tags: what has one of them is not sent again. */
          'If-None-Match'?: string;
        };
      };
      responses: {
        200: Done<({
          id_key: number;
          name: string;
          version: number;
        })[], 'ETag'>;
        304: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 408: 'request_timeout'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; }>;
    };
    /** Create a category */
    post: {
      parameters: {
        header?: {
          /** The same key never does it twice: the first answer is sent again. */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: Json<{
        /** Name of the category; unique. */
        name: string;
      }>;
      responses: {
        201: Done<{
          id_key: number;
          name: string;
          version: number;
        }, 'ETag' | 'Location' | 'Idempotency-Replayed'>;
      } & Refusals<{ 400: 'idempotency_key_invalid' | 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 408: 'request_timeout'; 409: 'duplicate' | 'idempotency_in_flight'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'idempotency_key_reused' | 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/categories/{id}': {
    /** Read a category */
    get: {
      parameters: {
        header?: {
          /** Entity tags: what has one of them is not sent again. */
          'If-None-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      responses: {
        200: Done<{
          id_key: number;
          name: string;
          version: number;
        }, 'ETag'>;
        304: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 404: 'not_found'; 408: 'request_timeout'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; }>;
    };
    /** Change a category */
    put: {
      parameters: {
        header?: {
          /** Entity tags: it is done only while the thing has one of them. */
          'If-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      requestBody: Json<{
        /** Name of the category; unique. */
        name?: string;
        /** As it was read: it is changed only while that is its version, as with If-Match. */
        version?: number;
      }>;
      responses: {
        200: Done<{
          id_key: number;
          name: string;
          version: number;
        }, 'ETag'>;
      } & Refusals<{ 400: 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 409: 'duplicate'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'validation_failed'; 428: 'precondition_required'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
    /** Change a category */
    patch: paths['/categories/{id}']['put'];
    /** Delete a category without products */
    delete: {
      parameters: {
        header?: {
          /** Entity tags: it is done only while the thing has one of them. */
          'If-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      responses: {
        204: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 409: 'in_use'; 412: 'version_mismatch'; 417: 'expectation_failed'; 422: 'validation_failed'; 428: 'precondition_required'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/products': {
    /** List products */
    get: {
      parameters: {
        query?: {
          /** How many to leave out. */
          skip?: number;
          /** How many to return at most. */
          limit?: number;
          /** Goes on after the page whose Link header gave it. */
          cursor?: string;
        };
        header?: {
          /** Entity tags: what has one of them is not sent again. */
          'If-None-Match'?: string;
        };
      };
      responses: {
        200: Done<({
          id_key: number;
          name: string;
          description: string | null;
          price: number;
          stock: number;
          category_id: number | null;
          category: {
            id_key: number;
            name: string;
            version: number;
          } | null;
          /** The newest 10, the newest first; all of them under /reviews. */
          reviews: ({
            id_key: number;
            rating: number;
            comment: string | null;
            product_id: number;
            author: string | null;
            verified_purchase: boolean;
            date: string;
            version: number;
          })[];
          version: number;
        })[], 'ETag'>;
        304: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 408: 'request_timeout'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; }>;
    };
    /** Create a product */
    post: {
      parameters: {
        header?: {
          /** The same key never does it twice: the first answer is sent again. */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: Json<{
        /** Name as shown to buyers. */
        name: string;
        /** What buyers are told of it. */
        description?: string | null;
        /** Price with at most two decimal places. */
        price: number;
        /** Pieces in stock. */
        stock?: number;
        /** Category it stands in. */
        category_id?: number | null;
      }>;
      responses: {
        201: Done<{
          id_key: number;
          name: string;
          description: string | null;
          price: number;
          stock: number;
          category_id: number | null;
          category: {
            id_key: number;
            name: string;
            version: number;
          } | null;
          /** The newest 10, the newest first; all of them under /reviews. */
          reviews: ({
            id_key: number;
            rating: number;
            comment: string | null;
            product_id: number;
            author: string | null;
            verified_purchase: boolean;
            date: string;
            version: number;
          })[];
          version: number;
        }, 'ETag' | 'Location' | 'Idempotency-Replayed'>;
      } & Refusals<{ 400: 'idempotency_key_invalid' | 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 409: 'idempotency_in_flight'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'idempotency_key_reused' | 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/products/filter': {
    /** Find products */
    get: {
      parameters: {
        query?: {
          /** Part of the name, in any case. */
          search?: string;
          category_id?: number;
          /** Least price, included. */
          min_price?: number;
          /** Greatest price, included. */
          max_price?: number;
          in_stock_only?: boolean;
          /** Without it the newest come first. */
          sort_by?: 'price_asc' | 'price_desc' | 'name' | 'name_asc' | 'name_desc';
          /** How many to leave out. */
          skip?: number;
          /** How many to return at most. */
          limit?: number;
          /** Goes on after the page whose Link header gave it, in the same order. */
          cursor?: string;
        };
        header?: {
          /** Entity tags: what has one of them is not sent again. */
          'If-None-Match'?: string;
        };
      };
      responses: {
        200: Done<({
          id_key: number;
          name: string;
          description: string | null;
          price: number;
          stock: number;
          category_id: number | null;
          category: {
            id_key: number;
            name: string;
            version: number;
          } | null;
          /** The newest 10, the newest first; all of them under /reviews. */
          reviews: ({
            id_key: number;
            rating: number;
            comment: string | null;
            product_id: number;
            author: string | null;
            verified_purchase: boolean;
            date: string;
            version: number;
          })[];
          version: number;
        })[], 'ETag'>;
        304: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 408: 'request_timeout'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; }>;
    };
  };
  '/products/{id}': {
    /** Read a product */
    get: {
      parameters: {
        header?: {
          /** Entity tags: what has one of them is not sent again. */
          'If-None-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      responses: {
        200: Done<{
          id_key: number;
          name: string;
          description: string | null;
          price: number;
          stock: number;
          category_id: number | null;
          category: {
            id_key: number;
            name: string;
            version: number;
          } | null;
          /** The newest 10, the newest first; all of them under /reviews. */
          reviews: ({
            id_key: number;
            rating: number;
            comment: string | null;
            product_id: number;
            author: string | null;
            verified_purchase: boolean;
            date: string;
            version: number;
          })[];
          version: number;
        }, 'ETag'>;
        304: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 404: 'not_found'; 408: 'request_timeout'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; }>;
    };
    /** Change a product */
    put: {
      parameters: {
        header?: {
          /** Entity tags: it is done only while the thing has one of them. */
          'If-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      requestBody: Json<{
        /** Name as shown to buyers. */
        name?: string;
        /** What buyers are told of it. */
        description?: string | null;
        /** Price with at most two decimal places. */
        price?: number;
        /** Pieces in stock. */
        stock?: number;
        /** Category it stands in. */
        category_id?: number | null;
        /** As it was read: it is changed only while that is its version, as with If-Match. */
        version?: number;
      }>;
      responses: {
        200: Done<{
          id_key: number;
          name: string;
          description: string | null;
          price: number;
          stock: number;
          category_id: number | null;
          category: {
            id_key: number;
            name: string;
            version: number;
          } | null;
          /** The newest 10, the newest first; all of them under /reviews. */
          reviews: ({
            id_key: number;
            rating: number;
            comment: string | null;
            product_id: number;
            author: string | null;
            verified_purchase: boolean;
            date: string;
            version: number;
          })[];
          version: number;
        }, 'ETag'>;
      } & Refusals<{ 400: 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'validation_failed'; 428: 'precondition_required'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
    /** Change a product */
    patch: paths['/products/{id}']['put'];
    /** Delete a product that was never sold */
    delete: {
      parameters: {
        header?: {
          /** Entity tags: it is done only while the thing has one of them. */
          'If-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      responses: {
        204: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 409: 'in_use'; 412: 'version_mismatch'; 417: 'expectation_failed'; 422: 'validation_failed'; 428: 'precondition_required'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/reviews': {
    /** List reviews */
    get: {
      parameters: {
        query?: {
          /** Only reviews of this product. */
          product_id?: number;
          /** How many to leave out. */
          skip?: number;
          /** How many to return at most. */
          limit?: number;
          /** Goes on after the page whose Link header gave it. */
          cursor?: string;
        };
        header?: {
          /** Entity tags: what has one of them is not sent again. */
          'If-None-Match'?: string;
        };
      };
      responses: {
        200: Done<({
          id_key: number;
          rating: number;
          comment: string | null;
          product_id: number;
          author: string | null;
          verified_purchase: boolean;
          date: string;
          version: number;
        })[], 'ETag'>;
        304: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 408: 'request_timeout'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; }>;
    };
    /** Review a product */
    post: {
      parameters: {
        header?: {
          /** The same key never does it twice: the first answer is sent again. */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: Json<{
        /** Stars from 1 to 5, with at most one decimal place. */
        rating: number;
        /** What the author says. */
        comment?: string | null;
        /** What is reviewed. */
        product_id: number;
      }>;
      responses: {
        201: Done<{
          id_key: number;
          rating: number;
          comment: string | null;
          product_id: number;
          author: string | null;
          verified_purchase: boolean;
          date: string;
          version: number;
        }, 'ETag' | 'Location' | 'Idempotency-Replayed'>;
      } & Refusals<{ 400: 'idempotency_key_invalid' | 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 409: 'duplicate' | 'idempotency_in_flight'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'idempotency_key_reused' | 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/reviews/{id}': {
    /** Read a review */
    get: {
      parameters: {
        header?: {
          /** Entity tags: what has one of them is not sent again. */
          'If-None-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      responses: {
        200: Done<{
          id_key: number;
          rating: number;
          comment: string | null;
          product_id: number;
          author: string | null;
          verified_purchase: boolean;
          date: string;
          version: number;
        }, 'ETag'>;
        304: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 404: 'not_found'; 408: 'request_timeout'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; }>;
    };
    /** Change a review */
    put: {
      parameters: {
        header?: {
          /** Entity tags: it is done only while the thing has one of them. */
          'If-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      requestBody: Json<{
        /** Stars from 1 to 5, with at most one decimal place. */
        rating?: number;
        /** What the author says. */
        comment?: string | null;
        /** Must be the one it has. */
        product_id?: number;
        /** As it was read: it is changed only while that is its version, as with If-Match. */
        version?: number;
      }>;
      responses: {
        200: Done<{
          id_key: number;
          rating: number;
          comment: string | null;
          product_id: number;
          author: string | null;
          verified_purchase: boolean;
          date: string;
          version: number;
        }, 'ETag'>;
      } & Refusals<{ 400: 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'validation_failed'; 428: 'precondition_required'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
    /** Change a review */
    patch: paths['/reviews/{id}']['put'];
    /** Delete a review */
    delete: {
      parameters: {
        header?: {
          /** Entity tags: it is done only while the thing has one of them. */
          'If-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      responses: {
        204: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 412: 'version_mismatch'; 417: 'expectation_failed'; 422: 'validation_failed'; 428: 'precondition_required'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/bills': {
    /** List bills; a customer sees only its own */
    get: {
      parameters: {
        query?: {
          /** Only bills of this client. */
          client_id?: number;
          /** How many to leave out. */
          skip?: number;
          /** How many to return at most. */
          limit?: number;
          /** Goes on after the page whose Link header gave it. */
          cursor?: string;
        };
        header?: {
          /** Entity tags: what has one of them is not sent again. */
          'If-None-Match'?: string;
        };
      };
      responses: {
        200: Done<({
          id_key: number;
          bill_number: string;
          discount: number;
          date: string;
          total: number;
          payment_type: number;
          client_id: number;
          version: number;
        })[], 'ETag'>;
        304: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; }>;
    };
    /** Make a bill, for an order to refer to */
    post: {
      parameters: {
        header?: {
          /** The same key never does it twice: the first answer is sent again. */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: Json<{
        /** Unique. Left out, the shop gives one, such as A-2026-1042. */
        bill_number?: string;
        /** Taken off what the order makes. Only an operator gives one. */
        discount?: number;
        /** Day of the bill; today in UTC when left out. */
        date?: string;
        /** Ignored: it is what the order makes, less the discount. */
        total?: unknown;
        /** 1 cash, 2 card, 3 debit, 4 credit, 5 bank transfer. */
        payment_type: 1 | 2 | 3 | 4 | 5;
        /** Who is billed. */
        client_id: number;
      }>;
      responses: {
        201: Done<{
          id_key: number;
          bill_number: string;
          discount: number;
          date: string;
          total: number;
          payment_type: number;
          client_id: number;
          version: number;
        }, 'ETag' | 'Location' | 'Idempotency-Replayed'>;
      } & Refusals<{ 400: 'idempotency_key_invalid' | 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 409: 'duplicate' | 'idempotency_in_flight'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'idempotency_key_reused' | 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/bills/{id}': {
    /** Read a bill */
    get: {
      parameters: {
        header?: {
          /** Entity tags: what has one of them is not sent again. */
          'If-None-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      responses: {
        200: Done<{
          id_key: number;
          bill_number: string;
          discount: number;
          date: string;
          total: number;
          payment_type: number;
          client_id: number;
          version: number;
        }, 'ETag'>;
        304: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; }>;
    };
    /** Change a bill */
    put: {
      parameters: {
        header?: {
          /** Entity tags: it is done only while the thing has one of them. */
          'If-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      requestBody: Json<{
        /** Unique. Left out, the shop gives one, such as A-2026-1042. */
        bill_number?: string;
        /** Taken off what the order makes. Only an operator gives one. */
        discount?: number;
        /** Day of the bill; today in UTC when left out. */
        date?: string;
        /** Ignored: it is what the order makes, less the discount. */
        total?: unknown;
        /** 1 cash, 2 card, 3 debit, 4 credit, 5 bank transfer. */
        payment_type?: 1 | 2 | 3 | 4 | 5;
        /** As it was read: it is changed only while that is its version, as with If-Match. */
        version?: number;
      }>;
      responses: {
        200: Done<{
          id_key: number;
          bill_number: string;
          discount: number;
          date: string;
          total: number;
          payment_type: number;
          client_id: number;
          version: number;
        }, 'ETag'>;
      } & Refusals<{ 400: 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 409: 'duplicate'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'validation_failed'; 428: 'precondition_required'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
    /** Change a bill */
    patch: paths['/bills/{id}']['put'];
    /** Delete a bill that no order refers to */
    delete: {
      parameters: {
        header?: {
          /** Entity tags: it is done only while the thing has one of them. */
          'If-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      responses: {
        204: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 409: 'in_use'; 412: 'version_mismatch'; 417: 'expectation_failed'; 422: 'validation_failed'; 428: 'precondition_required'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/orders': {
    /** List orders */
    get: {
      parameters: {
        query?: {
          /** Only orders of this client. */
          client_id?: number;
          /** How many to leave out. */
          skip?: number;
          /** How many to return at most. */
          limit?: number;
          /** Goes on after the page whose Link header gave it. */
          cursor?: string;
        };
        header?: {
          /** Entity tags: what has one of them is not sent again. */
          'If-None-Match'?: string;
        };
      };
      responses: {
        200: Done<({
          id_key: number;
          date: string;
          total: number;
          delivery_method: number;
          status: number;
          client_id: number;
          bill_id: number | null;
          refunded: number;
          version: number;
        })[], 'ETag'>;
        304: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; }>;
    };
    /** Place an order */
    post: {
      parameters: {
        header?: {
          /** The same key never does it twice: the first answer is sent again. */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: Json<{
        client_id: number;
        /** 1 drive-thru, 2 on hand, 3 home delivery. */
        delivery_method: 1 | 2 | 3;
        /** What is ordered. Without it the order starts empty. */
        lines?: ({
          product_id: number;
          quantity: number;
        })[];
        /** What the client counted on; compared with the true total when there are lines, and otherwise ignored. */
        total?: number;
        /** Ignored. */
        status?: unknown;
        /** Ignored. */
        date?: unknown;
        /** The bill to pay it by, made before; no other order may refer to it. */
        bill_id?: number | null;
        /** A bill to make with it. */
        bill?: {
          /** Unique. Left out, the shop gives one, such as A-2026-1042. */
          bill_number?: string;
          /** Taken off what the order makes. Only an operator gives one. */
          discount?: number;
          /** Day of the bill; today in UTC when left out. */
          date?: string;
          /** 1 cash, 2 card, 3 debit, 4 credit, 5 bank transfer. */
          payment_type: 1 | 2 | 3 | 4 | 5;
        };
      }>;
      responses: {
        201: Done<{
          id_key: number;
          date: string;
          total: number;
          delivery_method: number;
          status: number;
          client_id: number;
          bill_id: number | null;
          refunded: number;
          version: number;
          lines: ({
            id_key: number;
            product_id: number;
            product_name: string;
            quantity: number;
            price: number;
          })[];
        }, 'ETag' | 'Location' | 'Idempotency-Replayed'>;
      } & Refusals<{ 400: 'idempotency_key_invalid' | 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 409: 'duplicate' | 'idempotency_in_flight' | 'insufficient_stock' | 'price_mismatch'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'idempotency_key_reused' | 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/orders/{id}': {
    /** Read an order with its lines */
    get: {
      parameters: {
        header?: {
          /** Entity tags: what has one of them is not sent again. */
          'If-None-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      responses: {
        200: Done<{
          id_key: number;
          date: string;
          total: number;
          delivery_method: number;
          status: number;
          client_id: number;
          bill_id: number | null;
          refunded: number;
          version: number;
          lines: ({
            id_key: number;
            product_id: number;
            product_name: string;
            quantity: number;
            price: number;
          })[];
        }, 'ETag'>;
        304: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; }>;
    };
    /** Change an order; a customer may only cancel it, or edit it while it is pending */
    put: {
      parameters: {
        header?: {
          /** Entity tags: it is done only while the thing has one of them. */
          'If-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      requestBody: Json<{
        /** 1 pending, 2 in progress, 3 delivered, 4 canceled. A customer may only cancel. */
        status?: 1 | 2 | 3 | 4;
        /** While the order is pending. */
        delivery_method?: 1 | 2 | 3;
        /** While the order is pending, and has none. */
        bill_id?: number | null;
        /** Must be the one it has. */
        client_id?: number;
        /** Ignored. */
        total?: unknown;
        /** Ignored. */
        date?: unknown;
        /** As it was read: it is changed only while that is its version, as with If-Match. */
        version?: number;
      }>;
      responses: {
        200: Done<{
          id_key: number;
          date: string;
          total: number;
          delivery_method: number;
          status: number;
          client_id: number;
          bill_id: number | null;
          refunded: number;
          version: number;
          lines: ({
            id_key: number;
            product_id: number;
            product_name: string;
            quantity: number;
            price: number;
          })[];
        }, 'ETag'>;
      } & Refusals<{ 400: 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 409: 'duplicate' | 'illegal_transition'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'validation_failed'; 428: 'precondition_required'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
    /** Change an order; a customer may only cancel it, or edit it while it is pending */
    patch: paths['/orders/{id}']['put'];
    /** Delete an order that is pending or canceled, and return its stock */
    delete: {
      parameters: {
        header?: {
          /** Entity tags: it is done only while the thing has one of them. */
          'If-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      responses: {
        204: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 409: 'illegal_transition'; 412: 'version_mismatch'; 417: 'expectation_failed'; 422: 'validation_failed'; 428: 'precondition_required'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/orders/{id}/cancel': {
    /** Cancel an order, and return its stock */
    post: {
      parameters: {
        header?: {
          /** The same key never does it twice: the first answer is sent again. */
          'Idempotency-Key'?: string;
          /** Entity tags: it is done only while the thing has one of them. */
          'If-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      responses: {
        200: Done<{
          id_key: number;
          date: string;
          total: number;
          delivery_method: number;
          status: number;
          client_id: number;
          bill_id: number | null;
          refunded: number;
          version: number;
          lines: ({
            id_key: number;
            product_id: number;
            product_name: string;
            quantity: number;
            price: number;
          })[];
        }, 'ETag' | 'Idempotency-Replayed'>;
      } & Refusals<{ 400: 'idempotency_key_invalid' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 409: 'idempotency_in_flight' | 'illegal_transition'; 412: 'version_mismatch'; 417: 'expectation_failed'; 422: 'idempotency_key_reused' | 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/orders/{id}/refunds': {
    /** Take back pieces of an order */
    post: {
      parameters: {
        header?: {
          /** The same key never does it twice: the first answer is sent again. */
          'Idempotency-Key'?: string;
          /** Entity tags: it is done only while the thing has one of them. */
          'If-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      requestBody: Json<{
        lines: ({
          line_id: number;
          quantity: number;
        })[];
        /** Whether the pieces can be sold again. */
        restock?: boolean;
      }>;
      responses: {
        200: Done<{
          id_key: number;
          date: string;
          total: number;
          delivery_method: number;
          status: number;
          client_id: number;
          bill_id: number | null;
          refunded: number;
          version: number;
          lines: ({
            id_key: number;
            product_id: number;
            product_name: string;
            quantity: number;
            price: number;
          })[];
        }, 'ETag' | 'Idempotency-Replayed'>;
      } & Refusals<{ 400: 'idempotency_key_invalid' | 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 409: 'idempotency_in_flight' | 'illegal_transition'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'idempotency_key_reused' | 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/orders/{id}/events': {
    /** What happened to an order since it was placed */
    get: {
      parameters: {
        header?: {
          /** Entity tags: what has one of them is not sent again. */
          'If-None-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      responses: {
        200: Done<({
          id_key: number;
          date: string;
          event: string;
          status_before: number;
          status: number;
          refunded: number;
          caused_by: string;
        })[], 'ETag'>;
        304: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; }>;
    };
  };
  '/order_details': {
    /** List lines of orders; a customer sees only its own */
    get: {
      parameters: {
        query?: {
          /** Only lines of this order. */
          order_id?: number;
          /** How many to leave out. */
          skip?: number;
          /** How many to return at most. */
          limit?: number;
          /** Goes on after the page whose Link header gave it. */
          cursor?: string;
        };
        header?: {
          /** Entity tags: what has one of them is not sent again. */
          'If-None-Match'?: string;
        };
      };
      responses: {
        200: Done<({
          id_key: number;
          quantity: number;
          price: number;
          order_id: number;
          product_id: number;
          product_name: string;
          returned: number;
          version: number;
        })[], 'ETag'>;
        304: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 408: 'request_timeout'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; }>;
    };
    /** Add a line to a pending order */
    post: {
      parameters: {
        header?: {
          /** The same key never does it twice: the first answer is sent again. */
          'Idempotency-Key'?: string;
        };
      };
      requestBody: Json<{
        /** Pieces. */
        quantity: number;
        /** A pending order. */
        order_id: number;
        /** What is ordered. */
        product_id: number;
        /** The price counted on for a piece; compared with the true one. */
        price?: number;
      }>;
      responses: {
        201: Done<{
          id_key: number;
          quantity: number;
          price: number;
          order_id: number;
          product_id: number;
          product_name: string;
          returned: number;
          version: number;
        }, 'ETag' | 'Location' | 'Idempotency-Replayed'>;
      } & Refusals<{ 400: 'idempotency_key_invalid' | 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 409: 'idempotency_in_flight' | 'illegal_transition' | 'insufficient_stock' | 'price_mismatch'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'idempotency_key_reused' | 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
  '/order_details/{id}': {
    /** Read a line of an order */
    get: {
      parameters: {
        header?: {
          /** Entity tags: what has one of them is not sent again. */
          'If-None-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      responses: {
        200: Done<{
          id_key: number;
          quantity: number;
          price: number;
          order_id: number;
          product_id: number;
          product_name: string;
          returned: number;
          version: number;
        }, 'ETag'>;
        304: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 417: 'expectation_failed'; 422: 'validation_failed'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; }>;
    };
    /** Change how many pieces a line has */
    put: {
      parameters: {
        header?: {
          /** Entity tags: it is done only while the thing has one of them. */
          'If-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      requestBody: Json<{
        /** Pieces. */
        quantity?: number;
        /** Must be the one it has. */
        order_id?: number;
        /** Must be the one it has. */
        product_id?: number;
        /** Must be the one it has. */
        price?: number;
        /** As it was read: it is changed only while that is its version, as with If-Match. */
        version?: number;
      }>;
      responses: {
        200: Done<{
          id_key: number;
          quantity: number;
          price: number;
          order_id: number;
          product_id: number;
          product_name: string;
          returned: number;
          version: number;
        }, 'ETag'>;
      } & Refusals<{ 400: 'malformed_json' | 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 409: 'illegal_transition' | 'insufficient_stock' | 'price_mismatch'; 412: 'version_mismatch'; 413: 'payload_too_large'; 415: 'unsupported_media_type'; 417: 'expectation_failed'; 422: 'validation_failed'; 428: 'precondition_required'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
    /** Change how many pieces a line has */
    patch: paths['/order_details/{id}']['put'];
    /** Take a line out of a pending order, and return its stock */
    delete: {
      parameters: {
        header?: {
          /** Entity tags: it is done only while the thing has one of them. */
          'If-Match'?: string;
        };
        path: {
          id: number;
        };
      };
      responses: {
        204: Nothing;
      } & Refusals<{ 400: 'malformed_request'; 401: 'unauthenticated'; 403: 'forbidden'; 404: 'not_found'; 408: 'request_timeout'; 409: 'illegal_transition'; 412: 'version_mismatch'; 417: 'expectation_failed'; 422: 'validation_failed'; 428: 'precondition_required'; 429: 'rate_limited'; 431: 'headers_too_large'; 500: 'internal'; 503: 'database_unavailable' | 'draining' | 'overloaded'; 504: 'outcome_unknown'; }>;
    };
  };
};
