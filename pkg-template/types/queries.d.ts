// Map/reduce and Mango. Names are those of @types/pouchdb-mapreduce and @types/pouchdb-find. So far of remote databases; those in
// the browser answer with status 501.
import type { AllDocsMeta, BasicResponse, Callback, DocumentId, ExistingDocument, Selector, Sequence } from './core.js';

export type Map<Content extends {}, Key = any, Value = any> = (doc: Content, emit: (key: Key, value?: Value) => void) => void;

export type Reduce = (keys: any[] | null, values: any[], rereduce: boolean) => any;

export type BuiltInReduce = '_count' | '_sum' | '_stats';

export interface MapReduce<Content extends {}> {
  map: Map<Content> | string;
  reduce?: Reduce | BuiltInReduce | string | undefined;
}

export interface QueryOptions {
  reduce?: Reduce | BuiltInReduce | boolean | undefined;
  include_docs?: boolean | undefined;
  conflicts?: boolean | undefined;
  attachments?: boolean | undefined;
  binary?: boolean | undefined;
  startkey?: any;
  endkey?: any;
  inclusive_end?: boolean | undefined;
  limit?: number | undefined;
  skip?: number | undefined;
  descending?: boolean | undefined;
  key?: any;
  keys?: any[] | undefined;
  group?: boolean | undefined;
  group_level?: number | undefined;
  stale?: 'ok' | 'update_after' | undefined;
  update_seq?: boolean | undefined;
}

export interface QueryResponse<Content extends {}> {
  /** Of a map alone. */
  total_rows: number;
  offset: number;
  update_seq?: Sequence | undefined;
  rows: {
    id: DocumentId;
    key: any;
    value: any;
    doc?: ExistingDocument<Content & AllDocsMeta> | undefined;
  }[];
}

type Direction = 'asc' | 'desc';

export interface FindRequest<Content extends {}> {
  selector: Selector;
  /** These members alone. */
  fields?: (keyof Content | string)[] | undefined;
  sort?: (string | { [field: string]: Direction })[] | undefined;
  limit?: number | undefined;
  skip?: number | undefined;
  /** A design document, or one and the name of its index. */
  use_index?: string | [ddoc: string, name: string] | undefined;
}

export interface FindResponse<Content extends {}> {
  docs: ExistingDocument<Content>[];
  /** Where no index was of use. */
  warning?: string | undefined;
}

export interface CreateIndexOptions {
  index: {
    fields: (string | { [field: string]: Direction })[];
    name?: string | undefined;
    ddoc?: string | undefined;
    type?: 'json' | undefined;
    partial_filter_selector?: Selector | undefined;
  };
}

export interface CreateIndexResponse {
  result: 'created' | 'exists';
  id: string;
  name: string;
}

export interface Index {
  ddoc: string | null;
  name: string;
  type: string;
  def: { fields: { [field: string]: Direction }[]; partial_filter_selector?: Selector | undefined };
}

export interface GetIndexesResponse {
  indexes: Index[];
  total_rows: number;
}

export interface DeleteIndexOptions {
  ddoc: string;
  name: string;
  type?: string | undefined;
}

export interface ExplainResponse {
  dbname: string;
  index: Index;
  selector: Selector;
  opts: { [name: string]: any };
  limit: number;
  skip: number;
  range?: { start_key: any; end_key: any } | null | undefined;
  fields: string[] | 'all_fields';
}

export interface Queries<Content extends {}> {
  /** A view's rows, by its name (`'design/view'`), or those of functions given here. */
  query<Model extends {} = Content>(view: string | Map<Model> | MapReduce<Model>, options?: QueryOptions): Promise<QueryResponse<Model>>;
  query<Model extends {} = Content>(
    view: string | Map<Model> | MapReduce<Model>,
    options: QueryOptions,
    callback: Callback<QueryResponse<Model>>,
  ): void;
  find(request: FindRequest<Content>): Promise<FindResponse<Content>>;
  find(request: FindRequest<Content>, callback: Callback<FindResponse<Content>>): void;
  explain(request: FindRequest<Content>): Promise<ExplainResponse>;
  explain(request: FindRequest<Content>, callback: Callback<ExplainResponse>): void;
  createIndex(index: CreateIndexOptions): Promise<CreateIndexResponse>;
  createIndex(index: CreateIndexOptions, callback: Callback<CreateIndexResponse>): void;
  getIndexes(): Promise<GetIndexesResponse>;
  getIndexes(callback: Callback<GetIndexesResponse>): void;
  deleteIndex(index: DeleteIndexOptions): Promise<BasicResponse>;
  deleteIndex(index: DeleteIndexOptions, callback: Callback<BasicResponse>): void;
}
