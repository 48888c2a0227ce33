import { join } from 'node:path';
import { sqliteDocuments } from '../../adapters/documents/sqlite.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { documentStoreContract } from './document-store.ts';

documentStoreContract(() => sqliteDocuments(join(temporaryFolder(), 'documents.db')));
