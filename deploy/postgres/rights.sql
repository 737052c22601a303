-- What the shop's role may do in this database. Also run on a database that a backup is read into.
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO ecommerce_user, ecommerce_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE ecommerce_migrator IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ecommerce_user;
ALTER DEFAULT PRIVILEGES FOR ROLE ecommerce_migrator IN SCHEMA public
    GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO ecommerce_user;
