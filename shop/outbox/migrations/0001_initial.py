import uuid

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="OutboxMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("topic", models.CharField(max_length=64)),
                ("payload", models.JSONField()),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "next_attempt_at",
                    models.DateTimeField(blank=True, help_text="Empty: at once.", null=True),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("last_error", models.TextField(blank=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("gave_up_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("gave_up_at", None), ("sent_at", None)),
                        fields=["id"],
                        name="outbox_waiting",
                    ),
                    models.Index(fields=["topic", "-id"], name="outbox_by_topic"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("uuid",), name="one_message_per_uuid")
                ],
            },
        ),
        migrations.RunSQL(
            sql="""
                CREATE FUNCTION outbox_wake_relay() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    PERFORM pg_notify('outbox', '');
                    RETURN NULL;
                END $$;
                CREATE TRIGGER wake_relay AFTER INSERT ON outbox_outboxmessage
                FOR EACH STATEMENT EXECUTE FUNCTION outbox_wake_relay();
            """,
            reverse_sql="""DROP TRIGGER wake_relay ON outbox_outboxmessage; DROP FUNCTION outbox_wake_relay();""",
        ),
    ]
