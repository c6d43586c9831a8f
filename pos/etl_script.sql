-- Loads customers.csv, products.csv, orders.csv and orderlines.csv from the client's working directory into the main tables:
--   mariadb --local-infile=1 --batch --skip-column-names --unbuffered DATABASE < etl_script.sql
-- Needs create_schema.sql; run it alone or with the other files in place (README.md has the order and every rule for dirt).
--
-- Each line is loaded whole, as bytes, so that whatever it holds it has a number and can be shown again. The parsing stands in the
-- definition of the staging table. Each rule is one set-based statement; a row that breaks one gets its reason and no later one.
-- A row whose key is already in the main table changes nothing there: prices, stock and shipping dates belong to the shop.

SET NAMES utf8mb4;
SET SESSION sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', default_regex_flags = '';
-- Tells the triggers that these orders are of the past: no stock, and the materialised rows are made at the end, as sets.
SET @tillway_etl = 1;

DELIMITER //
BEGIN NOT ATOMIC
  IF COALESCE(GET_LOCK(CONCAT('tillway.etl.', DATABASE()), 0), 0) = 0 THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'another run of the ETL is under way in this database';
  END IF;
END //

-- ------------------------------------------------------------------------------------------------------------------------------
-- The mending of single values. They take a field as bytes and answer NULL for what they can't read.
-- ------------------------------------------------------------------------------------------------------------------------------

-- Text: UTF-8 as it is, anything else read as Windows-1252; blanks of all kinds become one, invisible characters go, and so does a
-- pair of quotes around the whole. Never NULL.
CREATE OR REPLACE FUNCTION etl_text(bytes BLOB) RETURNS TEXT CHARACTER SET utf8mb4 DETERMINISTIC NO SQL
BEGIN
  DECLARE t TEXT CHARACTER SET utf8mb4;
  IF bytes RLIKE '^[!#-~]*+(?: [!#-~]++)*+$' THEN
    RETURN bytes;
  END IF;
  IF bytes RLIKE CONCAT('^(?:[\\x00-\\x7F]|[\\xC2-\\xDF][\\x80-\\xBF]|\\xE0[\\xA0-\\xBF][\\x80-\\xBF]|[\\xE1-\\xEC\\xEE\\xEF][\\x80-\\xBF]{2}',
                        '|\\xED[\\x80-\\x9F][\\x80-\\xBF]|\\xF0[\\x90-\\xBF][\\x80-\\xBF]{2}|[\\xF1-\\xF3][\\x80-\\xBF]{3}|\\xF4[\\x80-\\x8F][\\x80-\\xBF]{2})*+$') THEN
    SET t = CONVERT(bytes USING utf8mb4);
  ELSE
    SET t = CONVERT(CONVERT(bytes USING latin1) USING utf8mb4);
  END IF;
  SET t = REGEXP_REPLACE(t, '[\\s\\x{00A0}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{3000}]+', ' ');
  SET t = REGEXP_REPLACE(t, '[\\p{Cc}\\x{200B}\\x{FEFF}\\x{FFFD}]', '');
  RETURN TRIM(REGEXP_REPLACE(TRIM(t), '^"(.*)"$', '\\1'));
END //

-- A whole number, 0 or more: blanks around, thousands separators and a fraction of zeros are forgiven.
CREATE OR REPLACE FUNCTION etl_int(bytes BLOB) RETURNS BIGINT DETERMINISTIC NO SQL
BEGIN
  IF bytes RLIKE '^ *\\+?(?:[0-9]{1,18}|[0-9]{1,3}(?:,[0-9]{3}){1,5})(?:\\.0*)? *$' THEN
    RETURN CAST(REGEXP_REPLACE(SUBSTRING_INDEX(bytes, '.', 1), '[ +,]', '') AS SIGNED);
  END IF;
  RETURN NULL;
END //

-- Money, 0 or more, to the cent (half a cent goes up): "$1,299.99", "1299.99 USD", ".5".
CREATE OR REPLACE FUNCTION etl_money(bytes BLOB) RETURNS DECIMAL(20,2) DETERMINISTIC NO SQL
BEGIN
  DECLARE t VARBINARY(80) DEFAULT LEFT(REGEXP_REPLACE(TRIM(bytes), '^(?:USD|US\\$|\\$) *| *(?:USD|\\$)$', ''), 80);
  IF t RLIKE '^(?=\\.?[0-9])(?:[0-9]{0,15}|[0-9]{1,3}(?:,[0-9]{3}){1,4})(?:\\.[0-9]{0,20})?$' THEN
    RETURN ROUND(CAST(REPLACE(t, ',', '') AS DECIMAL(40,20)), 2);
  END IF;
  RETURN NULL;
END //

-- Five digits from a ZIP that lost its leading zeros, has +4, blanks, or a spreadsheet's ".0". No ZIP has fewer than three digits left.
CREATE OR REPLACE FUNCTION etl_zip(bytes BLOB) RETURNS CHAR(5) CHARACTER SET utf8mb4 DETERMINISTIC NO SQL
BEGIN
  DECLARE t VARBINARY(80) DEFAULT LEFT(REGEXP_REPLACE(REPLACE(bytes, ' ', ''), '\\.0+$', ''), 80);
  IF t RLIKE '^0*$' THEN
    RETURN NULL;
  ELSEIF t RLIKE '^[0-9]{3,5}(?:-[0-9]{0,4})?$' THEN
    RETURN LPAD(SUBSTRING_INDEX(t, '-', 1), 5, '0');
  ELSEIF t RLIKE '^[0-9]{7,9}$' THEN
    RETURN LEFT(LPAD(t, 9, '0'), 5);
  END IF;
  RETURN NULL;
END //

-- A date or moment: 2024-03-01, 2024-03-01 14:05[:00], 03/01/2024, 3/1/24 14:05 (years 70 to 99 are the last century's).
CREATE OR REPLACE FUNCTION etl_date(bytes BLOB) RETURNS DATETIME DETERMINISTIC NO SQL
BEGIN
  DECLARE t, clock VARBINARY(80);
  DECLARE y, m, d INT;
  -- What needs no check of the calendar, and is nearly everything.
  IF bytes RLIKE '^[12][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])(?: (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])?$' THEN
    RETURN CAST(bytes AS DATETIME);
  END IF;
  SET t = LEFT(REGEXP_REPLACE(TRIM(bytes), '^([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}|[0-9]{2})(?![0-9])', '\\3-\\1-\\2'), 80);
  IF t NOT RLIKE '^(?:[12][0-9]{3}|[0-9]{2})-[0-9]{1,2}-[0-9]{1,2}(?:[ T]+(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\\.[0-9]+)?)?Z?)?$' THEN
    RETURN NULL;
  END IF;
  SET y = SUBSTRING_INDEX(t, '-', 1), m = SUBSTRING_INDEX(SUBSTRING_INDEX(t, '-', 2), '-', -1),
      d = REGEXP_SUBSTR(SUBSTRING_INDEX(t, '-', -1), '^[0-9]+'),
      clock = COALESCE(NULLIF(REGEXP_SUBSTR(t, '[0-9]+:[0-9:]+'), ''), '0:00:00');
  SET y = CASE WHEN y < 70 THEN 2000 + y WHEN y < 100 THEN 1900 + y ELSE y END;
  IF m NOT BETWEEN 1 AND 12 OR d < 1 OR d > DAY(LAST_DAY(CONCAT(y, '-', m, '-1'))) THEN
    RETURN NULL;
  END IF;
  RETURN CAST(CONCAT(y, '-', m, '-', d, ' ', clock) AS DATETIME);
END //

-- Whether a field says that there is no date.
CREATE OR REPLACE FUNCTION etl_no_date(bytes BLOB) RETURNS BOOL DETERMINISTIC NO SQL
RETURN bytes RLIKE '(?i)^ *(?:|0000-00-00(?: 00:00(?::00)?)?|0?0/0?0/(?:00)?00|cancell?ed|null) *$' //

-- What is wrong with a line as such; NULL for nothing. Fields beyond the last are forgiven when they are empty.
CREATE OR REPLACE FUNCTION etl_fault(raw BLOB, csv BLOB, least INT, most INT) RETURNS VARCHAR(200) CHARACTER SET utf8mb4 DETERMINISTIC NO SQL
BEGIN
  DECLARE used BLOB DEFAULT TRIM(TRAILING x'1F' FROM csv);
  IF LENGTH(raw) >= 60000 THEN
    RETURN 'the line is longer than 59999 bytes (its beginning is kept)';
  ELSEIF used RLIKE '^ *$' THEN
    RETURN 'the line is blank';
  ELSEIF LENGTH(csv) - LENGTH(REPLACE(csv, x'1F', '')) >= least AND LENGTH(used) - LENGTH(REPLACE(used, x'1F', '')) < most THEN
    RETURN NULL;
  ELSEIF (LENGTH(raw) - LENGTH(REPLACE(raw, '"', ''))) % 2 = 1 THEN
    RETURN 'a quoted field does not end on its line';
  END IF;
  RETURN 'the number of fields is wrong';
END //

-- Books the verdicts on a file: EtlReject becomes what this run rejected (what is there already isn't touched), EtlCount the sums.
CREATE OR REPLACE PROCEDURE etl_book(IN pFile VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci, IN pStage VARCHAR(32),
                                     IN pLoaded BIGINT, IN pMerged BIGINT)
BEGIN
  DECLARE rowsIn BIGINT;
  DELETE FROM EtlBad;
  EXECUTE IMMEDIATE CONCAT('INSERT INTO EtlBad SELECT s.line, TRIM(TRAILING ''\r'' FROM s.raw), r.reason FROM ', pStage, 'Row r JOIN ',
                           pStage, ' s ON s.line = r.line WHERE r.reason IS NOT NULL');
  EXECUTE IMMEDIATE CONCAT('SELECT COUNT(*) INTO @etl_read FROM ', pStage, ' WHERE NOT header');
  DELETE e FROM EtlReject e LEFT JOIN EtlBad b ON b.line = e.lineNumber WHERE e.file = pFile AND b.line IS NULL;
  INSERT INTO EtlReject (file, lineNumber, rawRow, reason) SELECT pFile, line, raw, reason FROM EtlBad
    ON DUPLICATE KEY UPDATE rawRow = VALUES(rawRow), reason = VALUES(reason);
  INSERT INTO EtlCount VALUES (pFile, @etl_read, pLoaded, pMerged, (SELECT COUNT(*) FROM EtlBad))
    ON DUPLICATE KEY UPDATE rowsRead = VALUES(rowsRead), rowsLoaded = VALUES(rowsLoaded), rowsMerged = VALUES(rowsMerged),
                            rowsRejected = VALUES(rowsRejected);
END //
DELIMITER ;

-- ------------------------------------------------------------------------------------------------------------------------------
-- Staging
-- ------------------------------------------------------------------------------------------------------------------------------
DROP TABLE IF EXISTS EtlCustomer, EtlProduct, EtlOrder, EtlOrderline, EtlCustomerRow, EtlProductRow, EtlOrderRow, EtlOrderlineRow,
                     EtlCityVote, EtlBad;

-- csv is the line with every field closed by byte 1F. A field is quoted when it opens and closes with a quote; of quotes that stand
-- elsewhere a doubled one is a quote and a single one is dirt. A BOM and control characters go, a tab is a blank. None of it
-- is needed when the line is plain, as nearly all are.
CREATE TABLE EtlCustomer (
  line   INT UNSIGNED NOT NULL,
  raw    BLOB NOT NULL,
  csv    BLOB AS (CASE WHEN raw RLIKE '^[ !#-~]*+\r?$' THEN REPLACE(CONCAT(TRIM(TRAILING '\r' FROM raw), ','), ',', x'1F') ELSE
                    REPLACE(REPLACE(REPLACE(
                      REGEXP_REPLACE(CONCAT(REGEXP_REPLACE(REPLACE(raw, '\t', ' '), '^\\xEF\\xBB\\xBF|[\\x00-\\x1F\\x7F]', ''), ','),
                                     '(?: *"((?:[^"]++|"")*+)" *|([^,]*)),', CONCAT('\\1\\2', x'1F')),
                      '""', x'1E'), '"', ''), x'1E', '"') END) VIRTUAL,
  f1     BLOB AS (SUBSTRING_INDEX(csv, x'1F', 1)) VIRTUAL,
  f2     BLOB AS (SUBSTRING_INDEX(SUBSTRING_INDEX(csv, x'1F', 2), x'1F', -1)) VIRTUAL,
  f3     BLOB AS (SUBSTRING_INDEX(SUBSTRING_INDEX(csv, x'1F', 3), x'1F', -1)) VIRTUAL,
  f4     BLOB AS (SUBSTRING_INDEX(SUBSTRING_INDEX(csv, x'1F', 4), x'1F', -1)) VIRTUAL,
  f5     BLOB AS (SUBSTRING_INDEX(SUBSTRING_INDEX(csv, x'1F', 5), x'1F', -1)) VIRTUAL,
  f6     BLOB AS (SUBSTRING_INDEX(SUBSTRING_INDEX(csv, x'1F', 6), x'1F', -1)) VIRTUAL,
  f7     BLOB AS (SUBSTRING_INDEX(SUBSTRING_INDEX(csv, x'1F', 7), x'1F', -1)) VIRTUAL,
  f8     BLOB AS (SUBSTRING_INDEX(SUBSTRING_INDEX(csv, x'1F', 8), x'1F', -1)) VIRTUAL,
  f9     BLOB AS (SUBSTRING_INDEX(SUBSTRING_INDEX(csv, x'1F', 9), x'1F', -1)) VIRTUAL,
  f10    BLOB AS (SUBSTRING_INDEX(SUBSTRING_INDEX(csv, x'1F', 10), x'1F', -1)) VIRTUAL,
  f11    BLOB AS (SUBSTRING_INDEX(SUBSTRING_INDEX(csv, x'1F', 11), x'1F', -1)) VIRTUAL,
  header BOOL AS (line = 1 AND f1 NOT RLIKE '^ *[0-9]+ *$') VIRTUAL,
  CONSTRAINT pk_EtlCustomer PRIMARY KEY (line)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE EtlProduct LIKE EtlCustomer;
CREATE TABLE EtlOrder LIKE EtlCustomer;
CREATE TABLE EtlOrderline LIKE EtlCustomer;
-- Most orders begin with two bare numbers, most order lines are three.
ALTER TABLE EtlOrder ADD plain BOOL AS (csv RLIKE '^[0-9]{1,18}\\x1F[0-9]{1,18}\\x1F[^\\x1F]*+\\x1F[^\\x1F]*+\\x1F$' AND LENGTH(raw) < 200) VIRTUAL;
ALTER TABLE EtlOrderline ADD plain BOOL AS (csv RLIKE '^[0-9]{1,18}\\x1F[0-9]{1,18}\\x1F[0-9]{1,6}\\x1F$') VIRTUAL;

-- What was read from each line: NULL where the field can't be read. merged: a later good row has the same id.
CREATE TABLE EtlCustomerRow (
  line      INT UNSIGNED NOT NULL PRIMARY KEY,
  id        BIGINT,
  firstName TEXT, lastName TEXT, email TEXT, address1 TEXT, address2 TEXT, phone TEXT,
  birthdate DATE,
  city      TEXT, state TEXT,
  zip       CHAR(5),
  reason    VARCHAR(200), merged BOOL NOT NULL DEFAULT FALSE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE EtlProductRow (
  line     INT UNSIGNED NOT NULL PRIMARY KEY,
  id       BIGINT,
  name     TEXT,
  price    DECIMAL(20,2),
  quantity BIGINT,
  reason   VARCHAR(200), merged BOOL NOT NULL DEFAULT FALSE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE EtlOrderRow (
  line        INT UNSIGNED NOT NULL PRIMARY KEY,
  id          BIGINT,
  customer_id BIGINT,
  datePlaced  DATETIME,
  dateShipped DATETIME,
  reason      VARCHAR(200), merged BOOL NOT NULL DEFAULT FALSE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
-- In the order of the main table's key, so that neither adding up nor loading has to sort. Ids that can't be read are 0.
CREATE TABLE EtlOrderlineRow (
  order_id   BIGINT NOT NULL,
  product_id BIGINT NOT NULL,
  line       INT UNSIGNED NOT NULL,
  quantity   BIGINT,
  reason     VARCHAR(200),
  PRIMARY KEY (order_id, product_id, line)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE EtlCityVote (
  zip       CHAR(5) NOT NULL,
  what      ENUM('city', 'state') NOT NULL,
  spelling  VARCHAR(100) NOT NULL,
  votes     INT NOT NULL,
  firstLine INT UNSIGNED NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE EtlBad (
  line   INT UNSIGNED NOT NULL PRIMARY KEY,
  raw    BLOB NOT NULL,
  reason VARCHAR(200) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- ------------------------------------------------------------------------------------------------------------------------------
-- customers.csv
-- ------------------------------------------------------------------------------------------------------------------------------
-- The "field" separator is sixteen control bytes that no text holds: a line is one field. 60000 bytes of a line are enough to reject it.
SET @etl_line = 0;
LOAD DATA LOCAL INFILE 'customers.csv' INTO TABLE EtlCustomer CHARACTER SET binary
  FIELDS TERMINATED BY x'01021E031C041D051F0607080E0F1011' ESCAPED BY '' LINES TERMINATED BY '\n'
  (@raw) SET line = (@etl_line := @etl_line + 1), raw = LEFT(@raw, 60000);

INSERT INTO EtlCustomerRow (line, id, firstName, lastName, email, address1, address2, phone, birthdate, city, state, zip, reason)
SELECT line, etl_int(f1), etl_text(f2), etl_text(f3), LOWER(REPLACE(etl_text(f4), ' ', '')), etl_text(f5), etl_text(f6), etl_text(f7),
       etl_date(f8), etl_text(f9), etl_text(f10), etl_zip(f11), etl_fault(raw, csv, 11, 11)
FROM EtlCustomer WHERE NOT header;

-- The century of a two-digit year is not known: nobody is born in the future.
UPDATE EtlCustomerRow r JOIN EtlCustomer s ON s.line = r.line SET r.birthdate = r.birthdate - INTERVAL 100 YEAR
  WHERE r.birthdate > UTC_DATE() AND s.f8 RLIKE '^ *[0-9]{1,2}/[0-9]{1,2}/[0-9]{2}(?: |$)';
UPDATE EtlCustomerRow SET reason = 'the id is not a positive whole number' WHERE reason IS NULL AND COALESCE(id, 0) = 0;
UPDATE EtlCustomerRow SET reason = 'there is no name' WHERE reason IS NULL AND firstName = '' AND lastName = '';
UPDATE EtlCustomerRow SET reason = 'a text is too long' WHERE reason IS NULL AND (CHAR_LENGTH(firstName) > 100 OR CHAR_LENGTH(lastName) > 100
  OR CHAR_LENGTH(email) > 254 OR CHAR_LENGTH(address1) > 200 OR CHAR_LENGTH(address2) > 200 OR CHAR_LENGTH(phone) > 40
  OR CHAR_LENGTH(city) > 100 OR CHAR_LENGTH(state) > 50);
UPDATE EtlCustomerRow r JOIN EtlCustomer s ON s.line = r.line SET r.reason = 'the birthdate is not a date'
  WHERE r.reason IS NULL AND r.birthdate IS NULL AND NOT etl_no_date(s.f8);
UPDATE EtlCustomerRow SET reason = 'the birthdate is in the future' WHERE reason IS NULL AND birthdate > UTC_DATE();
UPDATE EtlCustomerRow r JOIN EtlCustomer s ON s.line = r.line SET r.reason = 'the ZIP is not one'
  WHERE r.reason IS NULL AND r.zip IS NULL AND TRIM(s.f11) <> '';

-- Each customer has one vote for the spelling of his ZIP's city; of equals the one that comes first in the file wins.
INSERT INTO EtlCityVote SELECT zip, 'city', city, COUNT(DISTINCT id), MIN(line) FROM EtlCustomerRow
  WHERE reason IS NULL AND zip IS NOT NULL AND city <> '' GROUP BY zip, city;
INSERT INTO EtlCityVote SELECT zip, 'state', IF(CHAR_LENGTH(state) = 2, UPPER(state), state) AS spelling, COUNT(DISTINCT id), MIN(line)
  FROM EtlCustomerRow WHERE reason IS NULL AND zip IS NOT NULL AND state <> '' GROUP BY zip, spelling;
INSERT INTO City (zip, city, state)
WITH winner AS (SELECT zip, what, spelling, ROW_NUMBER() OVER (PARTITION BY zip, what ORDER BY votes DESC, firstLine) AS place FROM EtlCityVote)
SELECT c.zip, c.spelling, s.spelling FROM winner c JOIN winner s ON s.zip = c.zip AND s.what = 'state' AND s.place = 1
  LEFT JOIN City known ON known.zip = c.zip
  WHERE c.what = 'city' AND c.place = 1 AND known.zip IS NULL;
UPDATE EtlCustomerRow r LEFT JOIN City c ON c.zip = r.zip SET r.reason = 'no row tells the city and state of the ZIP'
  WHERE r.reason IS NULL AND r.zip IS NOT NULL AND c.zip IS NULL;

UPDATE EtlCustomerRow r JOIN (SELECT id, MAX(line) AS line FROM EtlCustomerRow WHERE reason IS NULL GROUP BY id) last ON last.id = r.id
  SET r.merged = TRUE WHERE r.reason IS NULL AND r.line < last.line;
INSERT INTO Customer (id, firstName, lastName, email, address1, address2, phone, birthdate, zip)
SELECT r.id, r.firstName, r.lastName, IF(r.email RLIKE '^[^@]+@[^@]+$', r.email, NULL), NULLIF(r.address1, ''), NULLIF(r.address2, ''),
       NULLIF(r.phone, ''), r.birthdate, r.zip
FROM EtlCustomerRow r LEFT JOIN Customer known ON known.id = r.id
WHERE r.reason IS NULL AND NOT r.merged AND known.id IS NULL ORDER BY r.id;
CALL etl_book('customers.csv', 'EtlCustomer',
              (SELECT COUNT(*) FROM EtlCustomerRow r JOIN Customer m ON m.id = r.id WHERE r.reason IS NULL AND NOT r.merged),
              (SELECT COUNT(*) FROM EtlCustomerRow WHERE merged));

-- ------------------------------------------------------------------------------------------------------------------------------
-- products.csv
-- ------------------------------------------------------------------------------------------------------------------------------
SET @etl_line = 0;
LOAD DATA LOCAL INFILE 'products.csv' INTO TABLE EtlProduct CHARACTER SET binary
  FIELDS TERMINATED BY x'01021E031C041D051F0607080E0F1011' ESCAPED BY '' LINES TERMINATED BY '\n'
  (@raw) SET line = (@etl_line := @etl_line + 1), raw = LEFT(@raw, 60000);

-- No quantity is none in stock.
INSERT INTO EtlProductRow (line, id, name, price, quantity, reason)
SELECT line, etl_int(f1), etl_text(f2), etl_money(f3), IF(TRIM(f4) = '', 0, etl_int(f4)), etl_fault(raw, csv, 4, 4)
FROM EtlProduct WHERE NOT header;

UPDATE EtlProductRow SET reason = 'the id is not a positive whole number' WHERE reason IS NULL AND COALESCE(id, 0) = 0;
UPDATE EtlProductRow SET reason = 'there is no name' WHERE reason IS NULL AND name = '';
UPDATE EtlProductRow SET reason = 'a text is too long' WHERE reason IS NULL AND CHAR_LENGTH(name) > 200;
UPDATE EtlProductRow r JOIN EtlProduct s ON s.line = r.line
  SET r.reason = IF(s.f3 RLIKE '^[ $]*-|^ *[(].*[)] *$', 'the price is negative', 'the price is not an amount of money')
  WHERE r.reason IS NULL AND r.price IS NULL;
UPDATE EtlProductRow SET reason = 'the price is too large' WHERE reason IS NULL AND price > 99999999.99;
UPDATE EtlProductRow r JOIN EtlProduct s ON s.line = r.line
  SET r.reason = IF(s.f4 RLIKE '^ *-', 'the quantity is negative', 'the quantity is not a whole number')
  WHERE r.reason IS NULL AND r.quantity IS NULL;
UPDATE EtlProductRow SET reason = 'the quantity is too large' WHERE reason IS NULL AND quantity > 2147483647;

UPDATE EtlProductRow r JOIN (SELECT id, MAX(line) AS line FROM EtlProductRow WHERE reason IS NULL GROUP BY id) last ON last.id = r.id
  SET r.merged = TRUE WHERE r.reason IS NULL AND r.line < last.line;
INSERT INTO Product (id, name, currentPrice, availableQuantity)
SELECT r.id, r.name, r.price, r.quantity FROM EtlProductRow r LEFT JOIN Product known ON known.id = r.id
WHERE r.reason IS NULL AND NOT r.merged AND known.id IS NULL ORDER BY r.id;
CALL etl_book('products.csv', 'EtlProduct',
              (SELECT COUNT(*) FROM EtlProductRow r JOIN Product m ON m.id = r.id WHERE r.reason IS NULL AND NOT r.merged),
              (SELECT COUNT(*) FROM EtlProductRow WHERE merged));

-- ------------------------------------------------------------------------------------------------------------------------------
-- orders.csv
-- ------------------------------------------------------------------------------------------------------------------------------
SET @etl_line = 0;
LOAD DATA LOCAL INFILE 'orders.csv' INTO TABLE EtlOrder CHARACTER SET binary
  FIELDS TERMINATED BY x'01021E031C041D051F0607080E0F1011' ESCAPED BY '' LINES TERMINATED BY '\n'
  (@raw) SET line = (@etl_line := @etl_line + 1), raw = LEFT(@raw, 60000);

INSERT INTO EtlOrderRow (line, id, customer_id, datePlaced, dateShipped, reason)
SELECT line, IF(plain, f1, etl_int(f1)), IF(plain, f2, etl_int(f2)), etl_date(f3), etl_date(f4), IF(plain, NULL, etl_fault(raw, csv, 3, 4))
FROM EtlOrder WHERE NOT header;

-- A shipping day without a time may be the day of the order.
UPDATE EtlOrderRow SET dateShipped = datePlaced
  WHERE dateShipped < datePlaced AND dateShipped = DATE(datePlaced);
UPDATE EtlOrderRow SET reason = 'the id is not a positive whole number' WHERE reason IS NULL AND COALESCE(id, 0) = 0;
UPDATE EtlOrderRow SET reason = 'the customer id is not a positive whole number' WHERE reason IS NULL AND COALESCE(customer_id, 0) = 0;
UPDATE EtlOrderRow r JOIN EtlOrder s ON s.line = r.line
  SET r.reason = IF(etl_no_date(s.f3), 'there is no date of the order', 'the date of the order is not a date')
  WHERE r.reason IS NULL AND r.datePlaced IS NULL;
UPDATE EtlOrderRow r JOIN EtlOrder s ON s.line = r.line SET r.reason = 'the date of shipping is not a date'
  WHERE r.reason IS NULL AND r.dateShipped IS NULL AND NOT etl_no_date(s.f4);
UPDATE EtlOrderRow SET reason = 'shipped before it was placed' WHERE reason IS NULL AND dateShipped < datePlaced;
UPDATE EtlOrderRow r LEFT JOIN Customer c ON c.id = r.customer_id SET r.reason = CONCAT('there is no customer ', r.customer_id)
  WHERE r.reason IS NULL AND c.id IS NULL;

UPDATE EtlOrderRow r JOIN (SELECT id, MAX(line) AS line FROM EtlOrderRow WHERE reason IS NULL GROUP BY id) last ON last.id = r.id
  SET r.merged = TRUE WHERE r.reason IS NULL AND r.line < last.line;
INSERT INTO `Order` (id, datePlaced, dateShipped, customer_id)
SELECT r.id, r.datePlaced, r.dateShipped, r.customer_id FROM EtlOrderRow r LEFT JOIN `Order` known ON known.id = r.id
WHERE r.reason IS NULL AND NOT r.merged AND known.id IS NULL ORDER BY r.id;
CALL etl_book('orders.csv', 'EtlOrder',
              (SELECT COUNT(*) FROM EtlOrderRow r JOIN `Order` m ON m.id = r.id WHERE r.reason IS NULL AND NOT r.merged),
              (SELECT COUNT(*) FROM EtlOrderRow WHERE merged));

-- ------------------------------------------------------------------------------------------------------------------------------
-- orderlines.csv
-- ------------------------------------------------------------------------------------------------------------------------------
SET @etl_line = 0;
LOAD DATA LOCAL INFILE 'orderlines.csv' INTO TABLE EtlOrderline CHARACTER SET binary
  FIELDS TERMINATED BY x'01021E031C041D051F0607080E0F1011' ESCAPED BY '' LINES TERMINATED BY '\n'
  (@raw) SET line = (@etl_line := @etl_line + 1), raw = LEFT(@raw, 60000);

-- No quantity is 1.
INSERT INTO EtlOrderlineRow (line, order_id, product_id, quantity, reason)
SELECT line, IF(plain, f1, COALESCE(etl_int(f1), 0)), IF(plain, f2, COALESCE(etl_int(f2), 0)),
       CASE WHEN plain THEN f3 WHEN TRIM(f3) = '' THEN 1 ELSE etl_int(f3) END, IF(plain, NULL, etl_fault(raw, csv, 2, 3))
FROM EtlOrderline WHERE NOT header;

UPDATE EtlOrderlineRow SET reason = 'the order id is not a positive whole number' WHERE reason IS NULL AND order_id = 0;
UPDATE EtlOrderlineRow SET reason = 'the product id is not a positive whole number' WHERE reason IS NULL AND product_id = 0;
UPDATE EtlOrderlineRow r JOIN EtlOrderline s ON s.line = r.line
  SET r.reason = IF(s.f3 RLIKE '^ *-', 'the quantity is negative', 'the quantity is not a whole number')
  WHERE r.reason IS NULL AND r.quantity IS NULL;
UPDATE EtlOrderlineRow SET reason = 'the quantity is not between 1 and 999999' WHERE reason IS NULL AND quantity NOT BETWEEN 1 AND 999999;
UPDATE EtlOrderlineRow r LEFT JOIN `Order` o ON o.id = r.order_id SET r.reason = CONCAT('there is no order ', r.order_id)
  WHERE r.reason IS NULL AND o.id IS NULL;
UPDATE EtlOrderlineRow r LEFT JOIN Product p ON p.id = r.product_id SET r.reason = CONCAT('there is no product ', r.product_id)
  WHERE r.reason IS NULL AND p.id IS NULL;
DELIMITER //
BEGIN NOT ATOMIC
  IF (SELECT SUM(quantity) FROM EtlOrderlineRow WHERE reason IS NULL) > 2147483647 THEN
    UPDATE EtlOrderlineRow r JOIN (SELECT order_id, product_id FROM EtlOrderlineRow WHERE reason IS NULL GROUP BY order_id, product_id
                                   HAVING SUM(quantity) > 2147483647) big ON big.order_id = r.order_id AND big.product_id = r.product_id
      SET r.reason = 'the quantities of the product in this order add up to too much' WHERE r.reason IS NULL;
  END IF;
END //

-- In steps of some hundred thousand rows, each its own transaction: tills wait only for a step, and whoever follows the binlog gets no
-- transaction of millions of rows. A step ends with an order, so that quantities of one order line meet in one step.
CREATE OR REPLACE PROCEDURE etl_load_orderlines(IN pStep INT)
BEGIN
  DECLARE after BIGINT DEFAULT 0;
  DECLARE upTo BIGINT;
  DECLARE total, done, merged, loaded BIGINT DEFAULT 0;
  SELECT COUNT(*) INTO total FROM EtlOrderlineRow WHERE reason IS NULL;
  WHILE after IS NOT NULL DO
    SET upTo = (SELECT order_id FROM EtlOrderlineRow WHERE order_id > after ORDER BY order_id, product_id, line LIMIT 1 OFFSET pStep);
    INSERT INTO Orderline (order_id, product_id, quantity)
    SELECT r.order_id, r.product_id, SUM(r.quantity) FROM EtlOrderlineRow r
      LEFT JOIN Orderline known ON known.order_id = r.order_id AND known.product_id = r.product_id
      WHERE r.reason IS NULL AND r.order_id > after AND r.order_id <= COALESCE(upTo, 9223372036854775807) AND known.order_id IS NULL
      GROUP BY r.order_id, r.product_id;
    SELECT done + COALESCE(SUM(g.n), 0), merged + COALESCE(SUM(g.n - 1), 0), loaded + COALESCE(SUM(g.stands), 0) INTO done, merged, loaded
    FROM (SELECT COUNT(*) AS n, MAX(m.order_id IS NOT NULL) AS stands FROM EtlOrderlineRow r
          LEFT JOIN Orderline m ON m.order_id = r.order_id AND m.product_id = r.product_id
          WHERE r.reason IS NULL AND r.order_id > after AND r.order_id <= COALESCE(upTo, 9223372036854775807)
          GROUP BY r.order_id, r.product_id) g;
    SELECT CONCAT('orderlines.csv: ', done, ' of ', total, ' good rows are in') AS progress;
    SET after = upTo;
  END WHILE;
  CALL etl_book('orderlines.csv', 'EtlOrderline', loaded, merged);
END //
DELIMITER ;
CALL etl_load_orderlines(200000);

-- ------------------------------------------------------------------------------------------------------------------------------
-- The end: the materialised rows where there are any, the sums, and nothing left behind
-- ------------------------------------------------------------------------------------------------------------------------------
DELIMITER //
BEGIN NOT ATOMIC
  IF EXISTS (SELECT 1 FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE() AND ROUTINE_NAME = 'refresh_materialized_views') THEN
    SELECT 'materialised views: refreshing' AS progress;
    CALL refresh_materialized_views();
  END IF;
END //
DELIMITER ;

DROP TABLE EtlCustomer, EtlProduct, EtlOrder, EtlOrderline, EtlCustomerRow, EtlProductRow, EtlOrderRow, EtlOrderlineRow, EtlCityVote, EtlBad;
DROP PROCEDURE etl_load_orderlines;
DROP PROCEDURE etl_book;
DROP FUNCTION etl_fault;
DROP FUNCTION etl_no_date;
DROP FUNCTION etl_date;
DROP FUNCTION etl_zip;
DROP FUNCTION etl_money;
DROP FUNCTION etl_int;
DROP FUNCTION etl_text;
SET @tillway_etl = NULL, @etl_line = NULL, @etl_read = NULL, @raw = NULL;
DO RELEASE_LOCK(CONCAT('tillway.etl.', DATABASE()));

SELECT CONCAT(file, ': ', rowsRead, ' rows read = ', rowsLoaded, ' loaded + ', rowsMerged, ' merged + ', rowsRejected, ' rejected') AS summary
FROM EtlCount ORDER BY FIELD(file, 'customers.csv', 'products.csv', 'orders.csv', 'orderlines.csv');
