#!/bin/sh
# Writes .env for docker-compose.yml, with passwords made here. DOMAIN=shop.example: for that
# host, by HTTPS alone; without it, for this machine.
set -eu

if [ -e .env ]; then
    echo ".env is there already, and stays as it is. Volumes know its passwords." >&2
    exit 0
fi

secret() {
    head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'
}

if [ -n "${DOMAIN:-}" ]; then
    web="ALLOWED_HOSTS=$DOMAIN
CSRF_TRUSTED_ORIGINS=https://$DOMAIN
COOKIE_SECURE=true
SECURE_SSL_REDIRECT=true
SECURE_HSTS_SECONDS=31536000"
else
    web="ALLOWED_HOSTS=localhost,127.0.0.1
CSRF_TRUSTED_ORIGINS=http://localhost
COOKIE_SECURE=false
SECURE_SSL_REDIRECT=false
SECURE_HSTS_SECONDS=0"
fi

umask 077
cat >.env.new <<EOF
# For docker-compose.yml, made by \`make env\`. Keep it to yourself, and keep it: the volumes
# were made with these passwords. docs/operations.md says how to change one.
$web

SECRET_KEY=$(secret)
JWT_SIGNING_KEY=$(secret)
DB_SUPERUSER_PASSWORD=$(secret)
DB_MIGRATOR_PASSWORD=$(secret)
DB_USER_PASSWORD=$(secret)
DB_READER_PASSWORD=$(secret)
DB_REPLICATOR_PASSWORD=$(secret)
REDIS_PASSWORD=$(secret)
RABBITMQ_ADMIN_PASSWORD=$(secret)
RABBITMQ_RELAY_PASSWORD=$(secret)
RABBITMQ_WORKER_PASSWORD=$(secret)
RABBITMQ_FLOWER_PASSWORD=$(secret)
FLOWER_PASSWORD=$(secret)

# Mails end in Mailpit, http://127.0.0.1:8025, until these name your mail server; then take the
# profile dev away.
COMPOSE_PROFILES=dev
EMAIL_HOST=mailpit
EMAIL_PORT=1025
EOF
mv .env.new .env
echo "Made .env. Flower's user is admin, its password is FLOWER_PASSWORD there."
