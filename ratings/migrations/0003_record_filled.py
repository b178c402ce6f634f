"""Earlier scores get the name of their rater, earlier locks their first version."""

from django.db import migrations


def fill(apps, schema_editor):
    Score = apps.get_model("ratings", "Score")
    ProtocolVersion = apps.get_model("ratings", "ProtocolVersion")
    AuditEntry = apps.get_model("ratings", "AuditEntry")
    Study = apps.get_model("ratings", "Study")
    User = apps.get_model("auth", "User")
    for score in Score.objects.select_related("item__presentation__session__enrolment"):
        user = score.item.presentation.session.enrolment.user_id
        Score.objects.filter(pk=score.pk).update(by_id=user)
    for study in Study.objects.exclude(state="draft"):
        entry = AuditEntry.objects.filter(study=study, verb="locked").first()
        name = entry.actor if entry else ""
        by = User.objects.filter(username=name).first()
        ProtocolVersion.objects.create(
            study=study,
            document=study.protocol,
            sha256=study.protocol_sha256,
            by_id=by.pk if by else study.created_by_id,
        )


class Migration(migrations.Migration):
    dependencies = [("ratings", "0002_record"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
