/** One MongoDB client for the function's life. */
import { MongoClient } from "mongodb";

const client = new MongoClient(process.env.MONGODB_URL);

export function collection(database, name) {
  return client.db(database).collection(name);
}
