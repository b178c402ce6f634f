"""The second series of a case becomes one of its companions, beside three new kinds."""

import django.db.models.deletion
from django.db import migrations, models


def move_series(apps, schema_editor):
    Case = apps.get_model("ratings", "Case")
    Companion = apps.get_model("ratings", "Companion")
    for case in Case.objects.exclude(context_path=""):
        Companion.objects.create(
            case=case, kind="second", path=case.context_path,
            sha256=case.context_sha256, source_name=case.context_name,
        )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("ratings", "0008_choosing")]

    operations = [
        migrations.CreateModel(
            name="Companion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("second", "second series"), ("cord", "cord mask"), ("levels", "vertebral levels"), ("soft", "soft map")], max_length=8)),
                ("path", models.CharField(max_length=255)),
                ("sha256", models.CharField(max_length=64)),
                ("source_name", models.CharField(blank=True, max_length=255)),
                ("warnings", models.JSONField(blank=True, default=list)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("case", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="companions", to="ratings.case")),
            ],
            options={
                "ordering": ("kind",),
                "constraints": [models.UniqueConstraint(fields=("case", "kind"), name="companion_kind")],
            },
        ),
        migrations.RunPython(move_series, migrations.RunPython.noop),
        migrations.RemoveField(model_name="case", name="context_name"),
        migrations.RemoveField(model_name="case", name="context_path"),
        migrations.RemoveField(model_name="case", name="context_sha256"),
        migrations.AddField(
            model_name="case",
            name="subject",
            field=models.CharField(blank=True, max_length=80),
        ),
    ]
